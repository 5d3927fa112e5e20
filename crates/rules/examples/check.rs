//! Prints what deployment would refuse of DMN files, in English and Chinese. The first file is the model.

use zhulian_rules::{Model, Profile};

fn main() {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let sources: Vec<String> = files.iter().filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    match Model::compile(&sources, Profile::Strict) {
        Ok(model) => println!("accepted: {} ({} decisions)", model.name(), model.decisions().count()),
        Err(refusals) => {
            for refusal in refusals {
                println!("{}\n{}", refusal.en(), refusal.zh());
            }
        }
    }
}
