//! Where a passphrase comes from: a file, the environment, or a prompt. It is wiped from memory on drop.

use std::{io::IsTerminal as _, path::Path};

use zeroize::Zeroizing;

use crate::{
    failure::{Exit, Failure, Result, read_text},
    text,
    text::{Lang, Text},
};

/// A passphrase, wiped on drop.
pub type Passphrase = Zeroizing<String>;

/// Environment variable with the passphrase.
pub const PASSPHRASE_VARIABLE: &str = "ZHULIAN_PASSPHRASE";
/// Characters of the shortest passphrase that a new key takes.
pub const LEN_MIN: usize = 8;

/// How to get a passphrase.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// `--passphrase-file`, or the file that the home names.
    pub file: Option<&'a Path>,
    /// Whether a person may be asked.
    pub prompt: bool,
    /// The language of the question.
    pub lang: Lang,
}

impl Source<'_> {
    /// The passphrase of a key that exists.
    ///
    /// # Errors
    /// When there is no source, or the file cannot be read.
    pub fn get(&self, key: &str) -> Result<Passphrase> {
        if let Some(given) = self.given()? {
            return Ok(given);
        }
        self.ask(&text!("密钥“{key}”的口令：", "Passphrase of the key “{key}”: "))
    }

    /// A passphrase for a new key: long enough, and typed twice when it is typed.
    ///
    /// # Errors
    /// As [`Self::get`], and when the passphrase is too short or the two do not agree.
    pub fn choose(&self, key: &str) -> Result<Passphrase> {
        match self.given()? {
            Some(given) => long_enough(given),
            None => self.choose_anew(key),
        }
    }

    /// As [`Self::choose`], but always from a person.
    ///
    /// # Errors
    /// As [`Self::choose`], and when there is no terminal to ask on.
    pub fn choose_anew(&self, key: &str) -> Result<Passphrase> {
        let first = long_enough(self.ask(&text!(
            "为密钥“{key}”设置口令（至少 {LEN_MIN} 个字符）：",
            "New passphrase for the key “{key}” (at least {LEN_MIN} characters): "
        ))?)?;
        let second = self.ask(&Text::fixed("请再次输入口令：", "The same passphrase again: "))?;
        if *first != *second {
            return Err(Failure::new(
                Exit::Key,
                "key.passphrases_differ",
                Text::fixed("两次输入的口令不一致", "the two passphrases differ"),
            )
            .next(Text::fixed("请重新执行该命令", "run the command again")));
        }
        Ok(first)
    }

    fn given(&self) -> Result<Option<Passphrase>> {
        if let Some(path) = self.file {
            crate::private_file::check_mode(path)?;
            let text = Zeroizing::new(read_text(path)?);
            return Ok(Some(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_string())));
        }
        Ok(std::env::var(PASSPHRASE_VARIABLE).ok().map(Zeroizing::new))
    }

    fn ask(&self, question: &Text) -> Result<Passphrase> {
        if !self.prompt || !std::io::stdin().is_terminal() {
            return Err(Failure::new(
                Exit::Key,
                "key.no_passphrase",
                Text::fixed(
                    "需要密钥口令，但没有可询问的终端",
                    "a passphrase is needed, and there is no terminal to ask on",
                ),
            )
            .next(text!(
                "设置环境变量 {PASSPHRASE_VARIABLE}，或使用 --passphrase-file 指定口令文件",
                "set {PASSPHRASE_VARIABLE}, or name a file with --passphrase-file"
            )));
        }
        rpassword::prompt_password(question.get(self.lang)).map(Zeroizing::new).map_err(|error| {
            Failure::new(Exit::Key, "key.no_passphrase", Text::fixed("无法读取口令", "the passphrase cannot be read"))
                .why(crate::failure::io_reason(&error))
        })
    }
}

fn long_enough(passphrase: Passphrase) -> Result<Passphrase> {
    if passphrase.chars().count() >= LEN_MIN {
        return Ok(passphrase);
    }
    Err(Failure::new(
        Exit::Key,
        "key.passphrase_short",
        text!("口令太短：至少需要 {LEN_MIN} 个字符", "the passphrase is too short: at least {LEN_MIN} characters"),
    )
    .next(Text::fixed("请换用更长的口令", "choose a longer one")))
}
