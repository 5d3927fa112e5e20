//! The command line's own texts in one language: help, and what is wrong with a command line.
//!
//! Every description is written once, `English (中文)`; here the half that the reader wants is taken. The program's parts speak the same
//! way in their refusals of a value.

use clap::{
    Arg, ArgAction, Command, CommandFactory as _,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    args::Arguments,
    failure::{Exit, Failure},
    text,
    text::{Lang, Text},
};

/// The half of `English (中文)` in a language; a text with no Chinese at its end is for both.
pub fn half(both: &str, lang: Lang) -> String {
    let Text { zh, en } = halves(both);
    match lang {
        Lang::Zh => zh.into_owned(),
        Lang::En => en.into_owned(),
    }
}

fn halves(both: &str) -> Text {
    let chinese = |c: char| ('\u{3400}'..='\u{9fff}').contains(&c);
    let split = both.strip_suffix(')').and_then(|inner| {
        // The bracket that the last one closes.
        let mut depth = 1;
        let open = inner.char_indices().rev().find(|(_, c)| {
            depth += i32::from(*c == ')') - i32::from(*c == '(');
            depth == 0
        });
        open.map(|(at, _)| (&inner[..at], &inner[at + 1..]))
    });
    match split {
        Some((en, zh)) if zh.chars().any(chinese) => {
            Text { zh: zh.trim().to_string().into(), en: en.trim().to_string().into() }
        }
        _ => both.into(),
    }
}

/// The command line, its texts in one language.
pub fn command(lang: Lang) -> Command {
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    let root = Arguments::command().disable_version_flag(true).arg(version.help("Print the version (显示版本)"));
    localised(root, lang, &[])
}

fn localised(command: Command, lang: Lang, shared: &[String]) -> Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::HelpShort);
    let about = command.get_about().map(|text| half(&text.to_string(), lang));
    let after = command.get_after_help().map(|text| half(&text.to_string(), lang));
    let global: Vec<String> =
        command.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| arg.get_id().to_string()).collect();
    let shared = [shared, &global[..]].concat();
    let mut command = command
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .arg(help.help("Print help (显示帮助)"))
        .subcommand_help_heading(half("Commands (命令)", lang).leak() as &'static str)
        .help_template(match lang {
            Lang::Zh => "{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}",
            Lang::En => "{about-with-newline}\nUsage: {usage}\n\n{all-args}{after-help}",
        })
        .mut_args(|arg| argument(arg, lang))
        .mut_subcommands(|sub| localised(sub, lang, &shared));
    if let Some(about) = about {
        command = command.about(about.clone()).long_about(about);
    }
    match after {
        Some(after) => command.after_help(after),
        None => command,
    }
}

fn argument(arg: Arg, lang: Lang) -> Arg {
    let heading =
        match (arg.is_global_set() || matches!(arg.get_id().as_str(), "help" | "version"), arg.is_positional(), lang) {
            (true, _, Lang::Zh) => Some("通用选项"),
            (true, _, Lang::En) => Some("Options of every command"),
            (false, true, Lang::Zh) => Some("参数"),
            (false, false, Lang::Zh) => Some("选项"),
            (false, _, Lang::En) => None,
        };
    let help = arg.get_help().map(|text| half(&text.to_string(), lang));
    // The library's own remarks on values are English; the Chinese texts say what they say.
    let hide = lang == Lang::Zh && arg.get_action().takes_values();
    let arg = arg.help_heading(heading).hide_env(true).hide_possible_values(hide).hide_default_value(hide);
    match help {
        Some(help) => arg.help(help.clone()).long_help(help),
        None => arg,
    }
}

/// What is wrong with a command line, in both languages.
pub fn usage(error: &clap::Error) -> Failure {
    let of = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let (argument, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    let shown = argument.clone().unwrap_or_default();
    let given = value.clone().unwrap_or_default();
    let what = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = of(ContextKind::InvalidSubcommand).unwrap_or_default();
            text!("没有“{name}”这个命令", "there is no command “{name}”")
        }
        ErrorKind::UnknownArgument => text!("没有“{shown}”这个选项或参数", "“{shown}” is no option or argument here"),
        ErrorKind::MissingRequiredArgument => text!("缺少必需的参数：{shown}", "something is missing: {shown}"),
        ErrorKind::InvalidValue if given.is_empty() => text!("{shown} 需要一个值", "{shown} needs a value"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::InvalidUtf8 => {
            text!("“{given}”不能用作 {shown}", "“{given}” cannot be {shown}")
        }
        ErrorKind::ArgumentConflict => {
            text!("{shown} 不能与其他选项同用或重复", "{shown} cannot be given twice or beside the other options")
        }
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::TooManyValues | ErrorKind::NoEquals => {
            text!("{shown} 的值的个数不对", "{shown} has another number of values than it needs")
        }
        _ => Text::fixed("命令不完整", "the command line is not complete"),
    };
    let mut failure = Failure::new(Exit::Usage, "usage", what);
    let source = std::error::Error::source(error).map(|source| halves(&source.to_string()));
    let valid = of(ContextKind::ValidValue).filter(|valid| !valid.is_empty());
    if let Some(why) = source {
        failure = failure.why(why);
    } else if let Some(valid) = valid {
        failure = failure.why(text!("可用的值：{valid}", "it may be: {valid}"));
    }
    let similar =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue].into_iter().find_map(of);
    failure.next(match similar {
        Some(similar) => {
            text!("是否想用“{similar}”？加 --help 查看说明", "did you mean “{similar}”? Add --help to read more")
        }
        None => Text::fixed("加 --help 查看说明", "add --help to read how it is used"),
    })
}
