//! `zhulian node`: run one validator.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use zhulian_modules::governance::Genesis;
use zhulian_node::{Config, config::ConfigError};

use crate::{
    failure::{Exit, Failure, Result},
    home::{key_failure, read_key},
    local::{PASSPHRASE_FILE, end_in_plain_words, ended, ended_by_parent},
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
    let config = Config::read(&args.config).map_err(unfit)?;
    let genesis = crate::failure::read_small(&config.genesis)?;
    let genesis = Genesis::decode(&genesis).map_err(|error| {
        let shown = config.genesis.display();
        Failure::new(
            Exit::Failed,
            "node.genesis",
            text!("创世文件 {shown} 无效", "the genesis document {shown} is not valid"),
        )
        .why(error.to_string())
    })?;
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

fn unfit(error: ConfigError) -> Failure {
    Failure::new(Exit::Usage, "node.config", Text::fixed("节点配置无法使用", "the node's configuration cannot be used"))
        .why(error.to_string())
        .next(Text::fixed("改正配置文件后重试", "correct the file and try again"))
}
