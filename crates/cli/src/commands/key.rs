//! `zhulian key`: signing keys, encrypted at rest.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;
use zhulian_crypto::{Algorithm, PublicKey, SigningKey};

use super::key_rotate::{self, Rotate};
use crate::{
    failure::{AtPath as _, Exit, Failure, Result},
    home::{key_failure, read_key},
    keyfile::{Cost, KeyFile, parse_algorithm},
    private_file,
    report::Report,
    session::Session,
    text,
    text::Text,
};

/// Make, list and protect signing keys (密钥)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Make a new key and store it encrypted (生成密钥)
    New(New),
    /// Show a key's public half (查看密钥)
    Show(Named),
    /// List the keys in the home (列出密钥)
    List,
    /// Encrypt a key under another passphrase (修改口令)
    ChangePassphrase(ChangePassphrase),
    /// Store a secret you already have, 64 hexadecimal digits (导入密钥)
    Import(Import),
    /// Replace the key that signs by a new one, on the ledger and on disk (更换密钥)
    Rotate(Rotate),
    /// Print the public key, to be registered with an administrator (导出公钥)
    ExportPublic(Named),
}

/// Options of `key new`.
#[derive(Args, Debug)]
pub struct New {
    /// What to call it (密钥名称)
    pub name: String,
    /// eddsa (Ed25519) or es256 (P-256) (算法：eddsa 即 Ed25519,es256 即 P-256；默认 eddsa)
    #[arg(long, default_value = "eddsa", value_parser = algorithm)]
    pub algorithm: Algorithm,
}

/// Options of commands about one key.
#[derive(Args, Debug)]
pub struct Named {
    /// Which key; default the one that would sign (哪一把；默认为签名所用的那一把)
    pub name: Option<String>,
}

/// Options of `key change-passphrase`.
#[derive(Args, Debug)]
pub struct ChangePassphrase {
    /// Which key; default the one that would sign (哪一把；默认为签名所用的那一把)
    pub name: Option<String>,
    /// File with the new passphrase; otherwise it is asked for (新口令所在文件；否则当面询问)
    #[arg(long, value_name = "FILE")]
    pub new_passphrase_file: Option<PathBuf>,
}

/// Options of `key import`.
#[derive(Args, Debug)]
pub struct Import {
    /// What to call it (密钥名称)
    pub name: String,
    /// File with the secret: 64 hexadecimal digits, readable by you only; `-` reads standard input (私钥文件：64 位十六进制，仅本人可读；- 表示标准输入)
    #[arg(long, value_name = "FILE")]
    pub secret_file: PathBuf,
    /// eddsa (Ed25519 seed) or es256 (P-256 scalar) (算法：eddsa 即 Ed25519 种子，es256 即 P-256 标量；默认 eddsa)
    #[arg(long, default_value = "eddsa", value_parser = algorithm)]
    pub algorithm: Algorithm,
}

fn algorithm(name: &str) -> std::result::Result<Algorithm, String> {
    parse_algorithm(name).ok_or_else(|| "the algorithms are eddsa and es256".into())
}

/// Runs the command.
///
/// # Errors
/// When it does not succeed.
pub fn run(session: &Session, command: &Command) -> Result<Report> {
    match command {
        Command::New(args) => new(session, &args.name, &SigningKey::generate(args.algorithm), false),
        Command::Import(args) => new(session, &args.name, &read_secret(args)?, true),
        Command::Show(args) | Command::ExportPublic(args) => {
            show(session, args, matches!(command, Command::ExportPublic(_)))
        }
        Command::List => list(session),
        Command::Rotate(args) => key_rotate::run(session, args),
        Command::ChangePassphrase(args) => change_passphrase(session, args),
    }
}

fn new(session: &Session, name: &str, key: &SigningKey, imported: bool) -> Result<Report> {
    let home = session.home()?;
    let path = home.key_path(name)?;
    let shown = path.display().to_string();
    if path.exists() {
        return Err(Failure::new(
            Exit::Key,
            "key.exists",
            text!("密钥“{name}”已存在，不会覆盖", "the key “{name}” exists and is not overwritten"),
        )
        .why(shown)
        .next(Text::fixed("请换一个名称", "choose another name")));
    }
    let passphrase = session.source(session.options.passphrase_file.as_deref()).choose(name)?;
    let file = KeyFile::seal(name, key, &passphrase, Cost::default()).map_err(|error| key_failure(&path, error))?;
    if let Some(dir) = path.parent() {
        private_file::create_dir(dir)?;
    }
    private_file::create(&path, file.print().as_bytes())?;
    let sentence = if imported {
        text!("密钥“{name}”已导入，并用口令加密保存。", "The key “{name}” is imported and stored under your passphrase.")
    } else {
        text!("密钥“{name}”已生成，并用口令加密保存。", "The key “{name}” is made and stored under your passphrase.")
    };
    let public = key.public_key();
    Ok(Report::new(sentence, describe(name, &public, &shown))
        .fact(Text::fixed("文件", "file"), shown)
        .fact(Text::fixed("算法", "algorithm"), public.algorithm().name())
        .fact(Text::fixed("公钥", "public key"), public.to_string())
        .next(Text::fixed(
            "请备份该文件并牢记口令：忘记口令后密钥无法恢复。把公钥交给本机构的安全管理员登记后即可签名。",
            "Keep a copy of the file and remember the passphrase: without it the key is lost. Have your organisation's \
             security administrator register the public key.",
        )))
}

fn read_secret(args: &Import) -> Result<SigningKey> {
    let bad = |why: Text| {
        Failure::new(Exit::Key, "key.secret", Text::fixed("导入的私钥无效", "the secret to import is not valid")).why(why)
    };
    let text = if args.secret_file.as_os_str() == "-" {
        let mut text = Zeroizing::new(String::new());
        std::io::Read::read_to_string(&mut std::io::stdin(), &mut text).at(&args.secret_file)?;
        text
    } else {
        private_file::check_mode(&args.secret_file)?;
        Zeroizing::new(crate::failure::read_text(&args.secret_file)?)
    };
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), &mut secret[..])
        .map_err(|_| bad(Text::fixed("应为 64 个十六进制数字", "it must be 64 hexadecimal digits")))?;
    SigningKey::from_secret(args.algorithm, &secret)
        .map_err(|_| bad(Text::fixed("不是该算法的私钥", "it is no secret of this algorithm")))
}

fn describe(name: &str, public: &PublicKey, path: &str) -> serde_json::Value {
    json!({ "name": name, "algorithm": public.algorithm().name(), "public_key": public.to_string(), "file": path })
}

fn show(session: &Session, args: &Named, bare: bool) -> Result<Report> {
    let home = session.home()?;
    let named = args.name.as_deref().or(session.options.key.as_deref());
    let path = home.key_path(&home.key_name(named)?)?;
    let KeyFile { name, public_key, .. } = &read_key(&path)?;
    let shown = path.display().to_string();
    let json = describe(name, public_key, &shown);
    if bare {
        return Ok(Report::new(public_key.to_string(), json));
    }
    Ok(Report::new(
        text!("密钥“{name}”可以使用，需口令解锁。", "The key “{name}” is ready; its passphrase unlocks it."),
        json,
    )
    .fact(Text::fixed("文件", "file"), shown)
    .fact(Text::fixed("算法", "algorithm"), public_key.algorithm().name())
    .fact(Text::fixed("公钥", "public key"), public_key.to_string()))
}

fn list(session: &Session) -> Result<Report> {
    let home = session.home()?;
    let keys = home.keys()?;
    let dir = home.keys_dir().display().to_string();
    let count = keys.len();
    let sentence = match count {
        0 => text!("{dir} 中还没有密钥。", "There are no keys in {dir}."),
        1 => text!("{dir} 中有 1 把密钥。", "There is one key in {dir}."),
        _ => text!("{dir} 中有 {count} 把密钥。", "There are {count} keys in {dir}."),
    };
    let mut rows = Vec::new();
    let mut json = Vec::new();
    let mut exit = Exit::Done;
    for (path, key) in keys {
        let shown = path.display().to_string();
        match key {
            Ok(key) => {
                rows.push(vec![
                    key.name.as_str().into(),
                    key.public_key.algorithm().name().into(),
                    key.public_key.to_string().into(),
                ]);
                json.push(describe(&key.name, &key.public_key, &shown));
            }
            Err(failure) => {
                exit = Exit::Partial;
                let why = failure.why.clone().unwrap_or_else(|| failure.what.clone());
                rows.push(vec![shown.as_str().into(), text!("无法使用", "unusable"), why]);
                let mut value = failure.json();
                value["file"] = shown.into();
                json.push(value);
            }
        }
    }
    let head = vec![Text::fixed("名称", "name"), Text::fixed("算法", "algorithm"), Text::fixed("公钥", "public key")];
    Ok(Report::new(sentence, json!({ "keys": json })).table(head, rows).exit(exit))
}

fn change_passphrase(session: &Session, args: &ChangePassphrase) -> Result<Report> {
    let home = session.home()?;
    let named = args.name.as_deref().or(session.options.key.as_deref());
    let path = home.key_path(&home.key_name(named)?)?;
    let file = read_key(&path)?;
    let key = session.unlock(&home, &path, &file)?;
    // The environment holds the old passphrase, if any; the new one comes from its own file or from a person.
    let new = match &args.new_passphrase_file {
        Some(_) => session.source(args.new_passphrase_file.as_deref()).choose(&file.name)?,
        None => session.source(None).choose_anew(&file.name)?,
    };
    let file = KeyFile::seal(&file.name, &key, &new, Cost::default()).map_err(|error| key_failure(&path, error))?;
    private_file::replace(&path, file.print().as_bytes())?;
    let name = &file.name;
    let shown = path.display().to_string();
    Ok(Report::new(
        text!("密钥“{name}”的口令已修改。", "The key “{name}” is now under the new passphrase."),
        describe(name, &file.public_key, &shown),
    )
    .fact(Text::fixed("文件", "file"), shown)
    .next(Text::fixed(
        "旧备份仍可用旧口令打开，请一并处理。",
        "Old copies of the file still open with the old passphrase; deal with them.",
    )))
}
