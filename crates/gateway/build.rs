//! Lists the files of the page, so that they are part of the binary.

use std::{env, fmt::Write as _, fs, io, path::Path};

fn main() -> io::Result<()> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("assets");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    walk(&root, &root, &mut files)?;
    files.sort();
    let mut out = String::from("static ASSETS: &[Asset] = &[\n");
    for path in files {
        let full = root.join(&path);
        writeln!(out, "    Asset {{ path: {path:?}, bytes: include_bytes!({full:?}) }},").expect("writing to a string");
    }
    out.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").expect("set by cargo")).join("assets.rs"), out)
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) -> io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            println!("cargo:rerun-if-changed={}", path.display());
            walk(root, &path, files)?;
        } else if path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')) {
            let below = path.strip_prefix(root).expect("walked from the root").to_string_lossy().replace('\\', "/");
            files.push(below);
        }
    }
    Ok(())
}
