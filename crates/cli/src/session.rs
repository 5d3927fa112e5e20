//! What every command is given: the options that all share, and what follows from them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use zhulian_crypto::SigningKey;

use crate::{
    failure::Result,
    home::{Home, URL_DEFAULT, key_failure, read_key},
    keyfile::{KeyFile, KeyFileError},
    passphrase::{PASSPHRASE_VARIABLE, Passphrase, Source},
    text::Lang,
};

/// Options of every command.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Print one JSON document instead of text (输出一份 JSON 文档，供程序读取)
    #[arg(long, global = true)]
    pub json: bool,
    /// Language: zh or en; default from the locale (语言：zh 中文，en 英文；默认随系统)
    #[arg(long, global = true, value_enum, env = "ZHULIAN_LANG", hide_env = true)]
    pub lang: Option<Lang>,
    /// Address of a gateway; default from the settings or http://127.0.0.1:8640; also ZHULIAN_URL (网关地址；默认取设置或 http://127.0.0.1:8640；也可用环境变量 ZHULIAN_URL)
    #[arg(long, global = true, env = "ZHULIAN_URL", value_name = "URL")]
    pub url: Option<String>,
    /// Directory with keys, settings and the trusted network identity; default ./.zhulian or ~/.zhulian; also ZHULIAN_HOME (用户目录，存放密钥、设置和可信网络身份；默认 ./.zhulian 或 ~/.zhulian；也可用 ZHULIAN_HOME)
    #[arg(long, global = true, env = "ZHULIAN_HOME", value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Key to sign with: a name in the home, or a file; also ZHULIAN_KEY (签名密钥：用户目录中的名称，或文件；也可用 ZHULIAN_KEY)
    #[arg(long, global = true, env = "ZHULIAN_KEY", value_name = "NAME")]
    pub key: Option<String>,
    /// File with the key's passphrase; otherwise ZHULIAN_PASSPHRASE or a question (密钥口令文件；否则用 ZHULIAN_PASSPHRASE 或当面询问)
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// No progress bars (不显示进度条)
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Seconds to wait for an answer, and for the network to make something final (等待应答和最终确认的秒数，默认 60)
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
}

/// The options, resolved.
#[derive(Clone, Debug)]
pub struct Session {
    /// As given.
    pub options: Options,
    /// Language of all texts.
    pub lang: Lang,
}

impl Session {
    /// Resolves the language.
    pub fn new(options: Options) -> Self {
        let lang = options.lang.unwrap_or_else(Lang::of_environment);
        Self { options, lang }
    }

    /// The user's directory.
    ///
    /// # Errors
    /// When there is none.
    pub fn home(&self) -> Result<Home> {
        Home::find(self.options.home.as_deref())
    }

    /// Address of the gateway.
    ///
    /// # Errors
    /// When the settings cannot be read.
    pub fn url(&self) -> Result<String> {
        if let Some(url) = &self.options.url {
            return Ok(url.trim_end_matches('/').into());
        }
        let url = self.home()?.settings()?.url;
        Ok(url.map_or_else(|| URL_DEFAULT.into(), |url| url.trim_end_matches('/').into()))
    }

    /// How long to wait for an answer, and for finality.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.options.timeout)
    }

    /// Where passphrases come from, when `file` is the file that holds it.
    pub fn source<'a>(&self, file: Option<&'a Path>) -> Source<'a> {
        Source { file, prompt: !self.options.json, lang: self.lang }
    }

    /// The key to sign with, decrypted, and its name.
    ///
    /// # Errors
    /// When there is none, it is no good, or the passphrase is wrong.
    pub fn signing_key(&self) -> Result<(String, SigningKey)> {
        let home = self.home()?;
        let path = home.key_path(&home.key_name(self.options.key.as_deref())?)?;
        let file = read_key(&path)?;
        let key = self.unlock(&home, &path, &file)?;
        Ok((file.name, key))
    }

    /// Decrypts a key: with the passphrase that is named or set, else with that of the home's settings, else by asking.
    ///
    /// # Errors
    /// When the passphrase is wrong or there is none.
    pub fn unlock(&self, home: &Home, path: &Path, file: &KeyFile) -> Result<SigningKey> {
        self.unlocked(home, path, file).map(|(key, _)| key)
    }

    /// As [`Self::unlock`], with the passphrase that did it.
    ///
    /// # Errors
    /// As [`Self::unlock`].
    pub fn unlocked(&self, home: &Home, path: &Path, file: &KeyFile) -> Result<(SigningKey, Passphrase)> {
        let named = self.options.passphrase_file.as_deref();
        let set = std::env::var_os(PASSPHRASE_VARIABLE).is_some();
        if named.is_none()
            && !set
            && let Some(demo) = home.settings()?.passphrase_file
        {
            // The settings' passphrase is that of the demonstration keys; a key of the user's own has another, and is asked for.
            let passphrase = self.source(Some(&home.dir.join(demo))).get(&file.name)?;
            match file.open(&passphrase) {
                Err(KeyFileError::WrongPassphrase) => {}
                opened => return opened.map(|key| (key, passphrase)).map_err(|error| key_failure(path, error)),
            }
        }
        let passphrase = self.source(named).get(&file.name)?;
        let key = file.open(&passphrase).map_err(|error| key_failure(path, error))?;
        Ok((key, passphrase))
    }

    /// Whether progress may be drawn.
    pub fn shows_progress(&self) -> bool {
        use std::io::IsTerminal as _;
        !self.options.quiet && !self.options.json && std::io::stderr().is_terminal()
    }
}
