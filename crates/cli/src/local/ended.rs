//! Why a node ended, in one sentence each for what, why and what next: for its own log, and for whoever started it.

use std::{io::Write as _, path::Path};

use zhulian_node::free_bytes;

use crate::{
    failure::{Exit, Failure, library_reason},
    text,
    text::{Lang, Text},
};

/// Free bytes below which a write is taken to have failed for want of room.
const ROOM_MIN: u64 = 64 << 20;
/// The end of a log that is looked at for the last words of a node.
const TAIL_BYTES: u64 = 64 << 10;

/// Whether there is no more room where the node stores.
pub fn is_full(data: &Path) -> bool {
    let there = data.ancestors().find(|it| it.is_dir());
    there.and_then(free_bytes).is_some_and(|free| free < ROOM_MIN)
}

/// What a node says that stores in `data` and ends by this error, which came out of its store or not.
pub fn ended(error: &str, in_store: bool, data: &Path) -> Failure {
    let says = |words: &[&str]| words.iter().any(|word| error.to_ascii_lowercase().contains(word));
    // The engine's advice is for damage, which comes last here.
    let why = error.split("; restore or wipe").next().unwrap_or(error).to_owned();
    if says(&["no space left", "os error 28", "disk is full"]) || is_full(data) {
        return disk_full().why(library_reason(&why));
    }
    if in_store || says(&["corrupt", "checksum", "damaged", "restore or wipe"]) {
        let shown = data.display();
        return Failure::new(
            Exit::Failed,
            "node.damaged",
            Text::fixed("本节点所存的数据已损坏", "what this node has stored is damaged"),
        )
        .why(library_reason(&why))
        .next(text!(
            "检查磁盘；停止节点，移走 {shown} 后再启动，将从其他节点重新获取（此处上传的批量存证条目须由存证单位重新上传）",
            "check the disk; to fetch it again from the others, stop the node, remove {shown} and start it (entries of batches that \
             were uploaded here are uploaded again by their depositors)"
        ));
    }
    Failure::new(Exit::Failed, "node.stopped", Text::fixed("节点未能运行", "the node does not run"))
        .why(library_reason(&why))
        .next(Text::fixed("zhulian doctor 可协助查找原因", "`zhulian doctor` helps to find the cause"))
}

/// There is no more room.
pub fn disk_full() -> Failure {
    Failure::new(Exit::Failed, "node.disk_full", Text::fixed("磁盘已满", "the disk is full")).next(Text::fixed(
        "请腾出磁盘空间后重新启动节点；数据没有丢失，不要删除节点目录",
        "make room on it and start the node again; nothing is lost, and its directory must not be removed",
    ))
}

/// Ends the process with one sentence, instead of a backtrace, when a part of the node finds something it cannot go on with.
pub fn end_in_plain_words(lang: Lang, data: &Path) {
    let data = data.to_path_buf();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload().downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.payload().downcast_ref::<&str>().copied()).unwrap_or("a part of it stopped");
        // The libraries that read the store panic in their own words when it is not as they wrote it.
        let in_store = panic.location().is_some_and(|place| place.file().contains("commonware-"));
        let failure = ended(text, in_store, &data);
        let place = panic.location().map(|place| format!("({place})\n")).unwrap_or_default();
        // The log may be on the disk that is full.
        let _ = write!(std::io::stderr(), "{}{place}", failure.render(lang));
        std::process::exit(failure.exit as i32);
    }));
}

/// The last words of a node by its log: what, why, next, on one line.
pub fn last_words(log: &Path, lang: Lang) -> Option<String> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = std::fs::File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES))).ok()?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail).ok()?;
    let tail = String::from_utf8_lossy(&tail);
    let (what, why, next, end) = match lang {
        Lang::Zh => ("出错了：", "原因：", "下一步：", "；"),
        Lang::En => ("Error: ", "Why:   ", "Next:  ", "; "),
    };
    let lines: Vec<&str> = tail.lines().collect();
    let begin = lines.iter().rposition(|line| line.starts_with(what))?;
    let words = lines[begin..].iter().filter_map(|line| [what, why, next].iter().find_map(|lead| line.strip_prefix(lead)));
    Some(words.collect::<Vec<_>>().join(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_by_its_kind() {
        let dir = tempfile::tempdir().expect("a directory");
        for (error, code) in [
            (
                "the log cannot be written (No space left on device (os error 28)); restore or wipe this node's directory",
                "node.disk_full",
            ),
            ("failed printing to stderr: No space left on device (os error 28)", "node.disk_full"),
            ("the index: database or disk is full", "node.disk_full"),
            ("the store cannot be opened (blob corrupt); restore or wipe this node's directory", "node.damaged"),
            ("called `Result::unwrap()` on an `Err` value: ChecksumMismatch", "node.damaged"),
            ("index out of bounds", "node.stopped"),
        ] {
            let failure = ended(error, false, dir.path());
            assert_eq!(failure.code, code, "{error}");
            assert!(!failure.why.expect("a reason").en.contains("wipe"), "{error}");
            let removes = failure.next.expect("a remedy").en.contains(&format!("remove {}", dir.path().display()));
            assert_eq!(removes, code == "node.damaged", "{error}");
        }
    }

    #[test]
    fn a_store_that_cannot_be_read_is_damaged_whatever_its_library_says() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(ended("called `Option::unwrap()` on a `None` value", true, dir.path()).code, "node.damaged");
        assert_eq!(ended("no space left on device", true, dir.path()).code, "node.disk_full");
    }

    #[test]
    fn last_words_are_the_last() {
        let dir = tempfile::tempdir().expect("a directory");
        let log = dir.path().join("log.txt");
        assert_eq!(last_words(&log, Lang::En), None);
        let first = ended("index out of bounds", false, dir.path()).render(Lang::En);
        let last = disk_full().why("write failed").render(Lang::En);
        std::fs::write(&log, format!("a line\n{first}2026 INFO starts\n{last}stack\n")).expect("a file");
        let words = last_words(&log, Lang::En).expect("words");
        assert!(words.starts_with("the disk is full; write failed; make room"), "{words}");
    }
}
