//! Texts in both languages of the product, and the choice between them.

use std::borrow::Cow;

/// A language of the texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// Chinese as written on the mainland.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The language that a locale variable asks for: Chinese when it says so or says nothing, else English.
    pub fn of_locale(locale: Option<&str>) -> Self {
        match locale.map(str::trim) {
            None | Some("") => Self::Zh,
            Some(locale) if locale.to_ascii_lowercase().starts_with("zh") => Self::Zh,
            Some(_) => Self::En,
        }
    }

    /// The language that a command line asks for, right or wrong as it may be otherwise.
    pub fn of_arguments(arguments: impl Iterator<Item = std::ffi::OsString>) -> Option<Self> {
        let words: Vec<String> = arguments.map(|word| word.to_string_lossy().into_owned()).collect();
        let after = words.iter().position(|word| word == "--lang").and_then(|at| words.get(at + 1)).map(String::as_str);
        let named = after.or_else(|| words.iter().find_map(|word| word.strip_prefix("--lang=")));
        named.and_then(|name| <Self as clap::ValueEnum>::from_str(name, true).ok())
    }

    /// The language of the environment: `ZHULIAN_LANG`, or else the POSIX order `LC_ALL`, `LC_MESSAGES`, `LANG`.
    pub fn of_environment() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let names = ["ZHULIAN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];
        Self::of_locale(names.into_iter().find_map(set).as_deref())
    }
}

impl From<Lang> for zhulian_verify::Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Zh => Self::Zh,
            Lang::En => Self::En,
        }
    }
}

/// One text in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Simplified Chinese.
    pub zh: Cow<'static, str>,
    /// English.
    pub en: Cow<'static, str>,
}

impl Text {
    /// The text in a language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }

    /// A text of two fixed strings.
    pub const fn fixed(zh: &'static str, en: &'static str) -> Self {
        Self { zh: Cow::Borrowed(zh), en: Cow::Borrowed(en) }
    }
}

/// What is the same in both languages: a number, a digest, a file name.
impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { zh: Cow::Owned(text.clone()), en: Cow::Owned(text) }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::from(text.to_string())
    }
}

/// Why a receipt proves nothing.
impl From<&zhulian_verify::Refusal> for Text {
    fn from(refusal: &zhulian_verify::Refusal) -> Self {
        let said = |language| refusal.text(language).into();
        Self { zh: said(zhulian_verify::Language::Zh), en: said(zhulian_verify::Language::En) }
    }
}

/// `text!("中文 {x}", "English {x}")`: a [`Text`] from two format strings with the same captured variables.
#[macro_export]
macro_rules! text {
    ($zh:literal, $en:literal $(,)?) => {
        $crate::text::Text { zh: format!($zh).into(), en: format!($en).into() }
    };
}

/// A text that can do a terminal no harm: of control and directional characters, which a file's name may hold, only line breaks stay.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let harms = |c: char| {
        c != '\n'
            && (c.is_control()
                || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    };
    if !text.contains(harms) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if harms(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out.into()
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things in English: `1 file`, `1,234 files`, `2 entries`.
pub fn several(count: usize, one: &str) -> String {
    let number = grouped(count as u64);
    match (count, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {one}s"),
    }
}

/// A size as people say it: `0 B`, `1,023 B`, `1.0 KiB`, `3.4 GiB`.
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    let mut value = size as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A word as a shell takes it back: as it is if it is plain, else in single quotes.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
