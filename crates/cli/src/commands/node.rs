//! `zhulian node`: run one validator.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use zhulian_modules::governance::Genesis;

use crate::{
    failure::{Exit, Failure, Result},
    home::{key_failure, read_key},
    local::{PASSPHRASE_FILE, end_in_plain_words, ended, ended_by_parent, read_config},
    session::Session,
    text,
    text::Text,
};

/// Run a validator (节点)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run a node until Ctrl-C (运行节点)
    Run(Run),
}

/// Options of `node run`.
#[derive(Args, Debug)]
pub struct Run {
    /// The node's configuration (节点配置文件)
    #[arg(long, value_name = "node.json")]
    pub config: PathBuf,
    /// Stop when standard input ends; for programs that start nodes (标准输入结束时停止；供启动节点的程序使用)
    #[arg(long, hide = true)]
    pub stop_with_input: bool,
}

/// Runs the node.
///
/// # Errors
/// When it does not start, or stops by itself.
pub fn run(session: &Session, command: &Command) -> Result<()> {
    let Command::Run(args) = command;
    let config = read_config(&args.config)?;
    let genesis = crate::failure::read_small(&config.genesis)?;
    let genesis = Genesis::decode(&genesis).map_err(|error| {
        let shown = config.genesis.display();
        Failure::new(
            Exit::Failed,
            "node.genesis",
            text!("创世文件 {shown} 无效", "the genesis document {shown} is not valid"),
        )
        .why(crate::failure::library_reason(&error.to_string()))
    })?;
    if !config.key.exists() {
        let (shown, named) = (config.key.display(), args.config.display());
        return Err(Failure::new(Exit::Key, "node.no_key", text!("没有验证节点密钥 {shown}", "there is no validator's key {shown}"))
            .why(text!("{named} 的 key 指向该文件", "it is the one that `key` in {named} names"))
            .next(Text::fixed(
                "把密钥文件及其口令文件 passphrase 从备份或节点文件包放回该处；没有备份则须表决更换密钥：zhulian validator propose-rekey",
                "put the key file there, with its passphrase file beside it, from a backup or the node's bundle; without either, the key \
                 is to be replaced by vote: `zhulian validator propose-rekey`",
            )));
    }
    let file = read_key(&config.key)?;
    // A node starts unattended, so its passphrase may lie in a file beside the key.
    let beside = config.key.with_file_name(PASSPHRASE_FILE);
    let named = session.options.passphrase_file.clone().or_else(|| beside.exists().then_some(beside));
    let passphrase = session.source(named.as_deref()).get(&file.name)?;
    let key = file.open(&passphrase).map_err(|error| key_failure(&config.key, error))?;
    drop(passphrase);
    zhulian_node::telemetry::start(&config.log);
    let data = config.directory.clone();
    end_in_plain_words(session.lang, &data);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.threads().max(2))
        .thread_name("node")
        .enable_all()
        .build()
        .map_err(|error| ended(&error.to_string(), false, &data))?;
    let with_input = args.stop_with_input;
    runtime
        .block_on(zhulian_node::run(config, genesis, key, stop_asked(with_input)))
        .map_err(|error| ended(&error.to_string(), false, &data))
}

async fn stop_asked(with_input: bool) {
    let parent = async {
        match with_input {
            true => ended_by_parent().await,
            false => std::future::pending().await,
        }
    };
    tokio::select! {
        () = signalled() => {}
        () = parent => {}
    }
    tracing::info!("stopping");
}

/// Resolves at Ctrl-C or SIGTERM.
pub async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
