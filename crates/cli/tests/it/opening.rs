//! Commitments to names: deterministic for their maker, opened by one file, and by no other text.

use zhulian_cli::{
    home::Home,
    opening::{NAME, Secret, names},
};
use zhulian_modules::evidence::commitment;

fn home(dir: &std::path::Path) -> Home {
    Home { dir: dir.into() }
}

#[test]
fn the_same_home_commits_alike_and_another_does_not() {
    let (one, two) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let first = Secret::of(&home(one.path())).expect("a secret");
    let again = Secret::of(&home(one.path())).expect("the same");
    let other = Secret::of(&home(two.path())).expect("another");
    let file = [7; 32];
    assert_eq!(first.commit(NAME, &file, "判决书.pdf"), again.commit(NAME, &file, "判决书.pdf"));
    assert_ne!(first.commit(NAME, &file, "判决书.pdf"), other.commit(NAME, &file, "判决书.pdf"));
    assert_ne!(first.commit(NAME, &file, "判决书.pdf"), first.commit(NAME, &[8; 32], "判决书.pdf"));
    assert_ne!(first.salt("name", &file, "x"), first.salt("nam", &file, "ex"));
    // Anyone with the salt computes the same commitment.
    assert_eq!(commitment(&first.salt(NAME, &file, "a"), "a"), first.commit(NAME, &file, "a"));
}

#[test]
fn the_secret_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a directory");
    Secret::of(&home(dir.path())).expect("a secret");
    let path = home(dir.path()).commitment_secret_path();
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    assert!(Secret::find(&home(dir.path())).is_err());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    std::fs::write(&path, b"short").expect("a file");
    assert!(Secret::find(&home(dir.path())).is_err());
}

#[test]
fn a_file_s_names_are_its_own_and_those_below_its_folders() {
    let found = names(std::path::Path::new("/archive/2026/判决书.pdf"));
    assert_eq!(found, ["判决书.pdf", "2026/判决书.pdf", "archive/2026/判决书.pdf"]);
}
