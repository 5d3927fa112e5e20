//! Files that only their owner may read: keys, passphrases, node secrets.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::{
    failure::{AtPath as _, Exit, Failure, Result},
    text,
};

/// Refuses a file that others than its owner may read or write.
///
/// # Errors
/// When the mode has a bit for group or others, or the file cannot be examined.
pub fn check_mode(path: &Path) -> Result<()> {
    let mode = fs::metadata(path).at(path)?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let shown = path.display();
    Err(Failure::new(
        Exit::Key,
        "key.file_mode",
        text!(
            "文件 {shown} 的权限为 {mode:04o}，其他用户也能访问",
            "the file {shown} has mode {mode:04o}, so others can reach it"
        ),
    )
    .why(text!("私密文件只能由其所有者读写（0600）", "a private file may be read and written by its owner only (0600)"))
    .next(text!("执行 chmod 600 {shown}", "run: chmod 600 {shown}")))
}

/// Refuses a file that is there: what a command saves overwrites nothing.
///
/// # Errors
/// When it exists.
pub fn must_be_new(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let shown = path.display();
    Err(Failure::new(
        Exit::Usage,
        "file.exists",
        text!("文件 {shown} 已存在，不会覆盖", "the file {shown} exists and is not overwritten"),
    )
    .next(text!("用 -o 指定其他文件名", "name another file with -o")))
}

/// Writes a new private file, whole: after a crash or on a full disk there is all of it or nothing. An existing one is never overwritten.
///
/// # Errors
/// When it exists, or cannot be written.
pub fn create(path: &Path, content: &[u8]) -> Result<()> {
    let temporary = temporary(path);
    let written =
        write(&temporary, content, 0o600).and_then(|()| name_new(&temporary, path)).and_then(|()| sync_parent(path));
    let _ = fs::remove_file(&temporary);
    written.at(path)
}

/// Gives a file a name that nothing has. Where there are no hard links, nobody may take the name in the moment between.
fn name_new(temporary: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(temporary, path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
            match path.symlink_metadata() {
                Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                Err(_) => fs::rename(temporary, path),
            }
        }
        linked => linked,
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Replaces a private file whole: after a crash there is the old or the new one.
///
/// # Errors
/// When it cannot be written.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    write_whole(path, content, 0o600)
}

/// Writes a file that others may read, whole: after a crash there is the old one, the new one, or none.
///
/// # Errors
/// When it cannot be written.
pub fn write_public(path: &Path, content: &[u8]) -> Result<()> {
    write_whole(path, content, 0o644)
}

fn write_whole(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let temporary = temporary(path);
    let written = write(&temporary, content, mode).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.at(path)
}

/// Makes a directory, and those above it, for its owner only.
///
/// # Errors
/// When it cannot be made.
pub fn create_dir(path: &Path) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).at(path)
}
