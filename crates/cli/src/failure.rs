//! Errors as people and programs need them: what happened, why, what next, and an exit code that scripts can rely on.

use serde_json::{Value, json};

use crate::text::{Lang, Text};

/// Exit codes. They are listed in `docs/cli.md` and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; for a check: verified.
    Done = 0,
    /// Something else went wrong.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A check found: not deposited.
    NotDeposited = 3,
    /// A check found: does not match what was deposited.
    Mismatch = 4,
    /// A receipt or network identity proves nothing: damaged, forged, or of another network.
    NoProof = 5,
    /// The network refused the transaction.
    Refused = 6,
    /// The network cannot be reached, is busy, or did not answer in time.
    Network = 7,
    /// Done in part: some files were skipped, and each is named.
    Partial = 8,
    /// A key cannot be used: wrong passphrase, damaged file, unsafe file mode.
    Key = 9,
}

impl Exit {
    /// Every code with what it means.
    pub const ALL: [(Exit, Text); 10] = [
        (Exit::Done, Text::fixed("完成；核验时表示“核验通过”", "done; for a check: verified")),
        (Exit::Failed, Text::fixed("其他错误", "another error")),
        (Exit::Usage, Text::fixed("命令行用法错误", "the command line makes no sense")),
        (Exit::NotDeposited, Text::fixed("核验结果：尚未存证", "check: not deposited")),
        (Exit::Mismatch, Text::fixed("核验结果：与存证内容不一致", "check: does not match what was deposited")),
        (Exit::NoProof, Text::fixed("回执或网络身份文件不能作为证明", "a receipt or network identity proves nothing")),
        (Exit::Refused, Text::fixed("交易被网络拒绝", "the network refused the transaction")),
        (
            Exit::Network,
            Text::fixed("无法连接网络、网络繁忙或超时", "the network cannot be reached, is busy, or did not answer in time"),
        ),
        (Exit::Partial, Text::fixed("部分完成，有文件被跳过", "done in part: some files were skipped, and each is named")),
        (Exit::Key, Text::fixed("密钥无法使用", "a key cannot be used: wrong passphrase, damaged file, unsafe file mode")),
    ];
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A command that did not succeed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Exit code.
    pub exit: Exit,
    /// Stable name for programs, such as `network.unreachable`.
    pub code: String,
    /// What happened.
    pub what: Text,
    /// Why, if known.
    pub why: Option<Text>,
    /// What to do next.
    pub next: Option<Text>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.why {
            Some(why) => write!(f, "{}: {}", self.what.en, why.en),
            None => f.write_str(&self.what.en),
        }
    }
}

impl std::error::Error for Failure {}

/// Result of a command or a step of one.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure with the sentence that says what happened.
    pub fn new(exit: Exit, code: impl Into<String>, what: impl Into<Text>) -> Self {
        Self { exit, code: code.into(), what: what.into(), why: None, next: None }
    }

    /// Adds the reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<Text>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<Text>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The text for people.
    pub fn render(&self, lang: Lang) -> String {
        let mut out = match lang {
            Lang::Zh => format!("出错了：{}\n", self.what.zh),
            Lang::En => format!("Error: {}\n", self.what.en),
        };
        if let Some(why) = &self.why {
            out += &match lang {
                Lang::Zh => format!("原因：{}\n", why.zh),
                Lang::En => format!("Why:   {}\n", why.en),
            };
        }
        if let Some(next) = &self.next {
            out += &match lang {
                Lang::Zh => format!("下一步：{}\n", next.zh),
                Lang::En => format!("Next:  {}\n", next.en),
            };
        }
        out
    }

    /// The object for programs.
    pub fn json(&self) -> Value {
        let text = |text: &Text| json!({ "zh": text.zh, "en": text.en });
        json!({ "error": {
            "code": self.code,
            "exit": self.exit as u8,
            "what": text(&self.what),
            "why": self.why.as_ref().map(text),
            "next": self.next.as_ref().map(text),
        } })
    }
}

/// Names the file in an input/output error.
pub trait AtPath<T> {
    /// Turns the error into a failure that names the path.
    fn at(self, path: &std::path::Path) -> Result<T>;
}

impl<T> AtPath<T> for std::io::Result<T> {
    fn at(self, path: &std::path::Path) -> Result<T> {
        self.map_err(|error| {
            let shown = path.display();
            Failure::new(
                Exit::Failed,
                "file",
                crate::text!("无法读写文件 {shown}", "the file {shown} cannot be read or written"),
            )
            .why(io_reason(&error))
        })
    }
}

/// Bytes of the largest file that is read whole: an identity, a key, a plan, a transaction.
const SMALL_BYTES_MAX: u64 = 16 << 20;

/// Reads a small regular file whole, never more than 16 MiB.
///
/// # Errors
/// When it cannot be read, is no regular file, or is too large.
pub fn read_small(path: &std::path::Path) -> Result<Vec<u8>> {
    use std::io::Read as _;
    let mut file = crate::hashing::open(path).map_err(|skipped| {
        let shown = path.display();
        Failure::new(Exit::Failed, "file", crate::text!("无法读取文件 {shown}", "the file {shown} cannot be read"))
            .why(skipped.why)
    })?;
    let mut bytes = Vec::new();
    file.by_ref().take(SMALL_BYTES_MAX + 1).read_to_end(&mut bytes).at(path)?;
    if bytes.len() as u64 > SMALL_BYTES_MAX {
        let shown = path.display();
        return Err(Failure::new(
            Exit::Failed,
            "file.too_large",
            crate::text!(
                "文件 {shown} 超过 16 MiB，不可能是所需的文件",
                "the file {shown} is larger than 16 MiB, and cannot be what is wanted"
            ),
        ));
    }
    Ok(bytes)
}

/// As [`read_small`], of a text.
///
/// # Errors
/// As [`read_small`], and when it is no UTF-8.
pub fn read_text(path: &std::path::Path) -> Result<String> {
    String::from_utf8(read_small(path)?).map_err(|_| {
        let shown = path.display();
        Failure::new(
            Exit::Failed,
            "file.not_text",
            crate::text!("文件 {shown} 不是文本文件", "the file {shown} is not a text file"),
        )
    })
}

/// The reason of an input/output error, for people.
pub fn io_reason(error: &std::io::Error) -> Text {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::NotFound => Text::fixed("文件或目录不存在", "there is no such file or directory"),
        K::PermissionDenied => Text::fixed("没有访问权限", "permission is denied"),
        K::AlreadyExists => Text::fixed("文件已存在", "the file exists already"),
        K::StorageFull => Text::fixed("磁盘已满", "the disk is full"),
        K::IsADirectory => Text::fixed("这是一个目录", "it is a directory"),
        K::ReadOnlyFilesystem => Text::fixed("文件系统只读", "the file system is read-only"),
        K::AddrInUse => Text::fixed("地址已被其他程序占用", "the address is in use"),
        K::ConnectionRefused => Text::fixed("该地址没有程序在监听", "nothing listens at that address"),
        K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe => Text::fixed("连接已断开", "the connection broke"),
        K::TimedOut => Text::fixed("超时", "it took too long"),
        K::NotADirectory => Text::fixed("路径中有一项不是目录", "a part of the path is no directory"),
        K::DirectoryNotEmpty => Text::fixed("目录不是空的", "the directory is not empty"),
        K::QuotaExceeded => Text::fixed("磁盘配额已用完", "the disk quota is used up"),
        K::InvalidData => Text { zh: format!("内容无效（{error}）").into(), en: error.to_string().into() },
        _ => Text { zh: format!("系统返回错误（{error}）").into(), en: error.to_string().into() },
    }
}

/// The reason of a library, for people: in Chinese what is known of it, with the library's words behind.
pub fn library_reason(words: &str) -> Text {
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    let zh = if says(&["No such file or directory", "os error 2)"]) {
        "文件或目录不存在"
    } else if says(&["Permission denied", "os error 13"]) {
        "没有访问权限"
    } else if says(&["No space left", "os error 28", "disk is full"]) {
        "磁盘已满"
    } else if says(&["Address already in use", "Address in use", "os error 98"]) {
        "地址已被其他程序占用"
    } else if says(&["Cannot assign requested address", "os error 99"]) {
        "本机没有该地址"
    } else if says(&["Connection refused", "os error 111"]) {
        "该地址没有程序在监听"
    } else if says(&["timed out", "os error 110"]) {
        "超时"
    } else {
        "程序报告"
    };
    Text { zh: format!("{zh}（{words}）").into(), en: words.to_owned().into() }
}
