//! Runs the official DMN TCK: every test file of a level against its models.

use std::path::{Path, PathBuf};
use zhulian_rules::cases::{Suite, show};
use zhulian_rules::{Model, Profile};

/// One expected result that was not met.
pub struct Failure {
    pub case: String,
    pub expected: String,
    pub found: String,
}

#[derive(Default)]
pub struct Report {
    pub passed: usize,
    pub total: usize,
    pub excluded: Vec<String>,
    pub failures: Vec<Failure>,
}

/// The folder of shared data, or `None` when it is not there.
pub fn data() -> Option<PathBuf> {
    let root = match std::env::var_os("ZHULIAN_SHARED_DATA") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let cases = root.join("dmn-tck/TestCases");
    cases.is_dir().then_some(cases)
}

/// The published list of cases that do not count, with the reason: `folder case: reason`.
pub fn exclusions() -> Vec<(String, String)> {
    include_str!("tck-exclusions.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .map(|(case, reason)| (case.to_owned(), reason.to_owned()))
        .collect()
}

pub fn run(level: &Path) -> Report {
    let (mut report, excluded) = (Report::default(), exclusions());
    let mut folders: Vec<PathBuf> = std::fs::read_dir(level).into_iter().flatten().flatten().map(|e| e.path()).collect();
    folders.sort();
    for folder in folders {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
        files.sort();
        for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "xml")) {
            run_file(&folder, file, &files, &excluded, &mut report);
        }
    }
    report
}

fn run_file(folder: &Path, file: &Path, files: &[PathBuf], excluded: &[(String, String)], report: &mut Report) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let Ok(suite) = Suite::parse(&text) else { return };
    let mut sources = vec![std::fs::read_to_string(folder.join(&suite.model_name)).unwrap_or_default()];
    for other in files.iter().filter(|f| f.extension().is_some_and(|e| e == "dmn") && !f.ends_with(&suite.model_name)) {
        sources.push(std::fs::read_to_string(other).unwrap_or_default());
    }
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let model = Model::compile(&sources, Profile::Standard);
    let folder_name = folder.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    for case in &suite.cases {
        for expected in &case.results {
            let key = format!("{folder_name} {}", case.id);
            if let Some((_, reason)) = excluded.iter().find(|(case, _)| *case == key || *case == folder_name) {
                report.excluded.push(format!("{key}: {reason}"));
                continue;
            }
            report.total += 1;
            let checked = match &model {
                Err(refusals) => {
                    let found = refusals.iter().map(|r| r.en()).collect::<Vec<_>>().join("; ");
                    if expected.error { None } else { Some(found) }
                }
                Ok(model) => {
                    let checked = case.check(model, expected);
                    let found = match &checked.found {
                        Ok(outcome) => format!("{} {:?}", show(&outcome.value), outcome.faults),
                        Err(halt) => halt.to_string(),
                    };
                    if checked.met { None } else { Some(found) }
                }
            };
            match checked {
                None => report.passed += 1,
                Some(found) => {
                    let case = format!("{key} {}", expected.name);
                    report.failures.push(Failure { case, expected: show(&expected.value), found });
                }
            }
        }
    }
}

/// Prints each failing case, the exclusions with their reasons, and the result as one JSON line.
pub fn print(two: &Report, three: &Report) {
    for failure in two.failures.iter().chain(&three.failures) {
        println!("FAIL {}: expected {}, found {}", failure.case, failure.expected, failure.found);
    }
    for case in two.excluded.iter().chain(&three.excluded) {
        println!("EXCLUDED {case}");
    }
    println!(
        "{{\"level2_pass\":{},\"level2_total\":{},\"level3_pass\":{},\"level3_total\":{},\"excluded\":{}}}",
        two.passed,
        two.total,
        three.passed,
        three.total,
        two.excluded.len() + three.excluded.len()
    );
}
