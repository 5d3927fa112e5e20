//! The BPMN Model Interchange test cases of the OMG's working group: every file is read or refused by name, and what is read
//! runs to an end whatever ways are chosen. The files are not part of the project; without them the test says so and skips.

use std::path::{Path, PathBuf};
use zhulian_procedure::{Definitions, Fault, Reason, simulate};

/// Cases of which every file must be read and run to its end.
const REQUIRED: [&str; 18] = [
    "A.1.0", "A.2.0", "A.2.1", "A.4.0", "A.4.1", "B.1.0", "C.1.0", "C.1.1", "C.2.0", "C.3.0", "C.8.0", "C.8.1", "C.9.1", "A.1.1",
    "A.1.2", "A.2.2", "A.4.2", "C.8.2",
];
/// Plays of each process, with other choices each.
const PLAYS: u64 = 50;

fn data() -> Option<PathBuf> {
    let root = match std::env::var_os("ZHULIAN_SHARED_DATA") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let files = root.join("bpmn-miwg");
    files.is_dir().then_some(files)
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "bpmn") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_file_is_read_or_refused_and_runs_to_an_end() {
    let Some(root) = data() else {
        println!("skipped: the BPMN MIWG files are not there");
        return;
    };
    let (mut read, mut refused, mut ended, mut wrong) = (0, 0, 0, Vec::new());
    let all = files(&root);
    for path in &all {
        let name = path.strip_prefix(&root).unwrap_or(path).display().to_string();
        let case = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.get(..5)).unwrap_or_default();
        let required = REQUIRED.contains(&case);
        let bytes = std::fs::read(path).expect("it can be read");
        let source = String::from_utf8_lossy(&bytes);
        let definitions = match Definitions::parse(&source) {
            Ok(definitions) => definitions,
            Err(refusals) => {
                refused += 1;
                assert!(refusals.iter().all(|r| r.reason == Reason::Unsupported || !r.detail.is_empty()), "{name}");
                let first = refusals[0].en();
                println!("{name}: refused: {first}");
                if required {
                    wrong.push(format!("{name}: {first}"));
                }
                continue;
            }
        };
        read += 1;
        let mut faults: Vec<(String, Fault)> = Vec::new();
        for process in &definitions.processes {
            for seed in 0..PLAYS {
                match simulate::play(&definitions, &process.id, seed, 1_000) {
                    Ok(play) if play.ended => {}
                    Ok(_) => faults.push((process.id.clone(), Fault::OutOfGas)),
                    Err(fault) => faults.push((process.id.clone(), fault)),
                }
            }
        }
        if faults.is_empty() {
            ended += 1;
        } else {
            println!("{name}: {} plays of {:?} did not end: {}", faults.len(), faults[0].0, faults[0].1);
            if required {
                wrong.push(format!("{name}: {:?}", faults[0]));
            }
        }
    }
    println!("BPMN MIWG: {} files, {read} read, {ended} run to an end in all of {PLAYS} plays, {refused} refused by element", all.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
