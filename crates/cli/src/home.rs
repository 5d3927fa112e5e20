//! The user's directory: keys, the pinned network identity, and the settings of the command line.
//!
//! ```text
//! ~/.zhulian/
//!   network.json      the identity of the network this user trusts; every verification is against it
//!   settings.json     address of the gateway, default key
//!   keys/NAME.zlkey   encrypted keys
//!   commitment-secret what opens the commitments to names of deposited files
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zhulian_crypto::PublicKey;
use zhulian_primitives::Network;

use crate::{
    failure::{AtPath as _, Exit, Failure, Result, read_small, read_text},
    keyfile::KeyFile,
    private_file, text,
    text::Text,
};

/// Environment variable that names the directory.
pub const HOME_VARIABLE: &str = "ZHULIAN_HOME";
/// Address of the gateway when nothing else says one.
pub const URL_DEFAULT: &str = "http://127.0.0.1:8640";
/// First of the ports of a local network.
pub const PORT_BASE_DEFAULT: u16 = 8640;
/// Ending of key files.
pub const KEY_ENDING: &str = "zlkey";

/// The ports of a local network: four gateways from `base` on, then four validators.
pub fn ports(base: u16) -> Vec<u16> {
    (0..8).filter_map(|offset| base.checked_add(offset)).collect()
}

/// The user's directory.
#[derive(Clone, Debug)]
pub struct Home {
    /// Where it is.
    pub dir: PathBuf,
}

/// What `settings.json` says. Relative paths are relative to the home.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Address of the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The key to sign with when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// File with its passphrase; `zhulian up` sets it for the demonstration keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase_file: Option<PathBuf>,
}

impl Home {
    /// The directory that is named; else that of the environment; else `./.zhulian` if there is one; else `~/.zhulian`.
    ///
    /// # Errors
    /// When none is named and the user has no home directory.
    pub fn find(named: Option<&Path>) -> Result<Self> {
        if let Some(dir) = named {
            return Ok(Self { dir: dir.into() });
        }
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(dir) = set(HOME_VARIABLE) {
            return Ok(Self { dir });
        }
        let here = PathBuf::from(".zhulian");
        if here.is_dir() {
            return Ok(Self { dir: here });
        }
        match set("HOME") {
            Some(home) => Ok(Self { dir: home.join(".zhulian") }),
            None => Err(Failure::new(
                Exit::Failed,
                "home.unknown",
                Text::fixed("不知道用户目录在哪里", "there is no home directory to keep keys and settings in"),
            )
            .next(text!(
                "使用 --home 或环境变量 {HOME_VARIABLE} 指定目录",
                "name a directory with --home or {HOME_VARIABLE}"
            ))),
        }
    }

    /// The pinned network identity's file.
    pub fn network_path(&self) -> PathBuf {
        self.dir.join("network.json")
    }

    /// The secret from which the salts of commitments follow.
    pub fn commitment_secret_path(&self) -> PathBuf {
        self.dir.join("commitment-secret")
    }

    /// Where keys are.
    pub fn keys_dir(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// The settings; the defaults if there is no file.
    ///
    /// # Errors
    /// When the file cannot be read or is no settings file.
    pub fn settings(&self) -> Result<Settings> {
        let path = self.dir.join("settings.json");
        if !path.exists() {
            return Ok(Settings::default());
        }
        let text = read_text(&path)?;
        serde_json::from_str(&text).map_err(|error| {
            let shown = path.display();
            Failure::new(
                Exit::Failed,
                "home.settings",
                text!("设置文件 {shown} 无法理解", "the settings file {shown} cannot be understood"),
            )
            .why(crate::failure::library_reason(&error.to_string()))
            .next(Text::fixed("改正或删除该文件", "correct the file or remove it"))
        })
    }

    /// Writes the settings.
    ///
    /// # Errors
    /// When the file cannot be written.
    ///
    /// # Panics
    /// Never: settings serialise.
    pub fn save_settings(&self, settings: &Settings) -> Result<()> {
        let text = serde_json::to_string_pretty(settings).expect("settings serialise") + "\n";
        private_file::replace(&self.dir.join("settings.json"), text.as_bytes())
    }

    /// The network identity this user trusts.
    ///
    /// # Errors
    /// When there is none, or the file is no identity.
    pub fn network(&self) -> Result<Network> {
        let path = self.network_path();
        if !path.exists() {
            let shown = path.display();
            return Err(Failure::new(
                Exit::Usage,
                "network.not_pinned",
                Text::fixed(
                    "还没有可信的网络身份文件，无法核验任何回执",
                    "there is no trusted network identity, so no receipt can be verified",
                ),
            )
            .why(text!("{shown} 不存在", "{shown} does not exist"))
            .next(Text::fixed(
                "从可信渠道（例如主管部门的公告）取得 network.json，再执行 zhulian network trust network.json，或用 --network 指定",
                "get network.json from a source you trust, such as the authority's publication, then run \
                 `zhulian network trust network.json`, or name it with --network",
            )));
        }
        read_network(&path)
    }

    /// The key files, by name.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn keys(&self) -> Result<Vec<(PathBuf, Result<KeyFile>)>> {
        let dir = self.keys_dir();
        if !dir.exists() {
            return Ok(Vec::new());
        }
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&dir)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
            .at(&dir)?;
        paths.retain(|path| path.extension().is_some_and(|ending| ending == KEY_ENDING));
        paths.sort();
        Ok(paths.into_iter().map(|path| (path.clone(), read_key(&path))).collect())
    }

    /// Where the key of this name is, or would be. A name with a slash or the ending of key files is a path.
    ///
    /// # Errors
    /// When it can be neither.
    pub fn key_path(&self, name: &str) -> Result<PathBuf> {
        if name.contains('/') || name.ends_with(&format!(".{KEY_ENDING}")) {
            return Ok(PathBuf::from(name));
        }
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
        if name.is_empty() || name.len() > 128 || name.starts_with('.') || !name.chars().all(plain) {
            return Err(Failure::new(
                Exit::Usage,
                "key.name",
                text!("“{name}”不能作为密钥名称", "“{name}” cannot be the name of a key"),
            )
            .why(Text::fixed(
                "名称由字母、汉字、数字、-、_、.、@ 组成，不以点开头",
                "a name has letters, digits, - _ . @, and does not begin with a dot",
            )));
        }
        Ok(self.keys_dir().join(format!("{name}.{KEY_ENDING}")))
    }

    /// The name of the key to sign with: the one that is named, that of the settings, or the only one there is.
    ///
    /// # Errors
    /// When there is none, or several and none is named.
    pub fn key_name(&self, named: Option<&str>) -> Result<String> {
        if let Some(name) = named {
            return Ok(name.into());
        }
        if let Some(name) = self.settings()?.key {
            return Ok(name);
        }
        let keys = self.keys()?;
        let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match &keys[..] {
            [(path, _)] => Ok(name(path)),
            [] => Err(Failure::new(Exit::Key, "key.none", Text::fixed("还没有签名密钥", "there is no key to sign with"))
                .next(Text::fixed("用 zhulian key new 名称 生成一把", "make one with `zhulian key new NAME`"))),
            several => {
                let names = several.iter().map(|(path, _)| name(path)).collect::<Vec<_>>().join(", ");
                Err(Failure::new(
                    Exit::Usage,
                    "key.which",
                    text!("有多把密钥，请指定用哪一把：{names}", "there are several keys; say which one to use: {names}"),
                )
                .next(Text::fixed("加上 --key 名称", "add --key NAME")))
            }
        }
    }
}

/// Reads a key file, if only its owner may.
///
/// # Errors
/// When it cannot be read, others may read it, or it is no key file.
pub fn read_key(path: &Path) -> Result<KeyFile> {
    if !path.exists() {
        let shown = path.display();
        return Err(Failure::new(Exit::Key, "key.not_found", text!("没有密钥文件 {shown}", "there is no key file {shown}"))
            .next(Text::fixed("用 zhulian key list 查看已有密钥", "see the keys there are with `zhulian key list`")));
    }
    private_file::check_mode(path)?;
    parse_key(path)
}

/// The public half of a key file, which is plain: whoever else can read the file makes it no less true.
///
/// # Errors
/// When it cannot be read, or is no key file.
pub fn public_key(path: &Path) -> Result<PublicKey> {
    parse_key(path).map(|file| file.public_key)
}

fn parse_key(path: &Path) -> Result<KeyFile> {
    let text =
        String::from_utf8(read_small(path)?).map_err(|_| key_failure(path, crate::keyfile::KeyFileError::Malformed))?;
    KeyFile::parse(&text).map_err(|error| key_failure(path, error))
}

/// What is wrong with a key file, for people.
pub fn key_failure(path: &Path, error: crate::keyfile::KeyFileError) -> Failure {
    use crate::keyfile::KeyFileError as E;
    let shown = path.display();
    let (code, why) = match error {
        E::Malformed => ("key.malformed", Text::fixed("文件已损坏，或不是密钥文件", "the file is damaged, or no key file")),
        E::UnknownFormat => {
            ("key.unknown_format", Text::fixed("文件属于其他格式或版本", "the file is of another format or version"))
        }
        E::UnreasonableCost => (
            "key.unreasonable_cost",
            Text::fixed("文件要求的口令派生参数不合理", "the file asks for an unreasonable key derivation"),
        ),
        E::WrongPassphrase => (
            "key.wrong_passphrase",
            Text::fixed("口令错误，或文件被改动过", "the passphrase is wrong, or the file was changed"),
        ),
        E::OtherKey => (
            "key.other_key",
            Text::fixed("文件中的私钥与公钥不符", "the secret in the file does not belong to its public key"),
        ),
    };
    let failure = Failure::new(Exit::Key, code, text!("密钥 {shown} 无法使用", "the key {shown} cannot be used")).why(why);
    match error {
        E::WrongPassphrase => failure.next(Text::fixed(
            "核对口令后重试；若口令无误，请从备份恢复密钥文件",
            "try again with the right passphrase; if it was right, restore the key file from a backup",
        )),
        _ => failure.next(Text::fixed("请从备份恢复密钥文件", "restore the key file from a backup")),
    }
}

/// Reads a network identity.
///
/// # Errors
/// When the file cannot be read or is no identity.
pub fn read_network(path: &Path) -> Result<Network> {
    let text = read_text(path)?;
    zhulian_verify::parse_network(&text).map_err(|error| {
        let shown = path.display();
        Failure::new(
            Exit::NoProof,
            "network.malformed",
            text!("{shown} 不是有效的网络身份文件", "{shown} is not a valid network identity"),
        )
        .why(crate::failure::library_reason(&error.to_string()))
        .next(Text::fixed("请从可信渠道重新取得该文件", "get the file again from a source you trust"))
    })
}
