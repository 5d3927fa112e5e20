//! The gateway as commands see it: the API client, with its errors turned into plain words.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use zhulian_api::{Client, ClientError, Hex32, view};
use zhulian_primitives::Network;

use crate::{
    failure::{Exit, Failure, Result},
    session::Session,
    text,
    text::Text,
};

/// How long a node that starts is waited for.
const STARTS: Duration = Duration::from_secs(15);
/// How long a node may take to say how it is.
const ASKING: Duration = Duration::from_secs(10);

/// A gateway, and what runs the client.
pub struct Remote {
    /// The client.
    pub client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Remote {
    /// The gateway that the session names. Nothing is sent yet.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(session: &Session) -> Result<Self> {
        Ok(Self::at(&session.url()?)?.with_patience(session.timeout()))
    }

    /// As [`Self::new`], to ask how the node is, which it knows without looking: one that does not say it at once is not well.
    ///
    /// # Errors
    /// As there.
    pub fn asking(session: &Session) -> Result<Self> {
        Ok(Self::at(&session.url()?)?.with_patience(session.timeout().min(ASKING)))
    }

    fn with_patience(self, patience: Duration) -> Self {
        Self { client: self.client.with_patience(patience), ..self }
    }

    /// The gateway at an address.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn at(url: &str) -> Result<Self> {
        let local = |why: String| {
            Failure::new(
                Exit::Failed,
                "client",
                Text::fixed("无法建立网络客户端", "no network client can be made on this machine"),
            )
            .why(why)
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| local(error.to_string()))?;
        let client = Client::new(url).map_err(|error| local(error.to_string()))?;
        Ok(Self { client, runtime })
    }

    /// Runs a call of the client.
    ///
    /// # Errors
    /// What the client says, in plain words.
    pub fn call<T>(&self, call: impl Future<Output = Result<T, ClientError>>) -> Result<T> {
        self.runtime.block_on(call).map_err(|error| explain(&error, &self.client))
    }

    /// As [`Self::expect`], of a node that runs: one that starts does not know yet at which height the network stands, and whatever is signed
    /// for that height would have expired.
    ///
    /// # Errors
    /// As there, and when the node has not come up after [`STARTS`].
    pub fn running(&self, network: &Network) -> Result<view::StatusView> {
        let (begun, patience) = (Instant::now(), self.client.patience());
        loop {
            let status = self.expect(network)?;
            if status.phase == view::Phase::Running {
                return Ok(status);
            }
            if begun.elapsed() >= STARTS.min(patience) {
                let url = self.client.base();
                let what = text!("节点 {url} 正在启动或追赶区块", "the node {url} is starting or catching up");
                return Err(Failure::new(Exit::Network, "node.not_ready", what)
                    .why(Text::fixed("它尚不知道网络的当前高度", "it does not know yet how far the network is"))
                    .next(Text::fixed(
                        "稍后重试，或用 --url 指定其他网关；进度见 zhulian status",
                        "try again in a moment, or name another gateway with --url; `zhulian status` shows how far it is",
                    )));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Runs anything asynchronous.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Makes sure that the gateway serves the network that is trusted here.
    ///
    /// # Errors
    /// When it serves another one, or cannot be asked.
    pub fn expect(&self, network: &Network) -> Result<view::StatusView> {
        let status = self.call(self.client.status())?;
        if status.chain == Hex32(network.chain) {
            return Ok(status);
        }
        let (url, name) = (self.client.base(), &network.name);
        Err(Failure::new(
            Exit::NoProof,
            "network.other",
            text!("{url} 不是可信的网络“{name}”", "{url} does not serve the trusted network “{name}”"),
        )
        .why(text!("两者的链标识不同", "the two have different chain identities"))
        .next(Text::fixed(
            "核对 --url；若网络确已更换，请从可信渠道取得新的 network.json，再执行 zhulian network trust",
            "check --url; if the network was really replaced, get its network.json from a source you trust and run \
             `zhulian network trust`",
        )))
    }
}

/// A client's error in plain words.
pub fn explain(error: &ClientError, client: &Client) -> Failure {
    let url = client.base();
    match error {
        ClientError::Silent => Failure::new(
            Exit::Network,
            "network.silent",
            text!("网关 {url} 没有按时应答", "the gateway {url} did not answer in time"),
        )
        .why(silence(client.patience()))
        .next(Text::fixed(
            "用 --url 指定其他网关；在该节点的机器上检查进程与日志；若只是繁忙，用 --timeout 给更多时间",
            "name another gateway with --url; on that node's machine look at its process and its log; if it is only busy, give it more \
             time with --timeout",
        )),
        ClientError::Redirected { status, location } => Failure::new(
            Exit::Network,
            "network.redirected",
            text!("{url} 将请求转向 {location}（状态 {status}）", "{url} refers to {location} (status {status})"),
        )
        .why(Text::fixed(
            "不自动跟随转向，以免交易被送往他处",
            "that is not followed, so that no transaction gets to somebody else",
        ))
        .next(Text::fixed(
            "若新地址可信，用 --url 指定；否则请联系网关的运维人员",
            "if you trust that address, name it with --url; else ask the operator of the gateway",
        )),
        ClientError::TooLarge(max) => {
            let max = crate::text::bytes(*max as u64);
            Failure::new(
                Exit::Network,
                "network.too_large",
                text!("{url} 的应答超过 {max}", "the answer of {url} is larger than {max}"),
            )
            .why(Text::fixed("该地址可能不是珠联网关", "perhaps there is no Zhulian gateway at this address"))
            .next(Text::fixed("核对 --url", "check --url"))
        }
        ClientError::Unexpected(status) if error.retry() => Failure::new(
            Exit::Network,
            "network.unexpected",
            text!("{url} 返回了意外的应答（状态 {status}）", "{url} gave an unexpected answer (status {status})"),
        )
        .why(Text::fixed(
            "网关前的代理暂时无法连接网关，网关可能正在重启",
            "a proxy before the gateway does not reach it; perhaps it is restarting",
        ))
        .next(Text::fixed("稍后重试，或用 --url 指定其他网关", "try again later, or name another gateway with --url")),
        ClientError::Transport(cause) => Failure::new(
            Exit::Network,
            "network.unreachable",
            text!("无法连接网关 {url}", "the gateway {url} cannot be reached"),
        )
        .why(transport_reason(cause))
        .next(Text::fixed(
            "确认网络正在运行（本机演示网络：zhulian up），或用 --url 指定其他网关；zhulian doctor 可协助查找原因",
            "make sure that the network runs (a local one: `zhulian up`), or name another gateway with --url; \
             `zhulian doctor` helps to find the cause",
        )),
        ClientError::Problem { problem, retry_after } => {
            let exit = match problem.status {
                408 | 429 | 503 | 504 => Exit::Network,
                400..=499 if problem.code.starts_with("request.") => Exit::Usage,
                _ => Exit::Failed,
            };
            let remedy = Text { zh: problem.remedy_zh.clone().into(), en: problem.remedy_en.clone().into() };
            let what = Text { zh: problem.zh.clone().into(), en: problem.en.clone().into() };
            let failure = Failure::new(exit, problem.code.clone(), what).why(problem.detail.clone());
            match retry_after.map(|wait| wait.as_secs()) {
                Some(seconds) => {
                    let Text { zh, en } = remedy;
                    failure.next(text!("{zh}（{seconds} 秒后可重试）", "{en} (in {seconds} seconds)"))
                }
                None => failure.next(remedy),
            }
        }
        ClientError::Unexpected(status) => Failure::new(
            Exit::Network,
            "network.unexpected",
            text!("{url} 返回了意外的应答（状态 {status}）", "{url} gave an unexpected answer (status {status})"),
        )
        .why(Text::fixed("该地址可能不是珠联网关", "perhaps there is no Zhulian gateway at this address"))
        .next(Text::fixed("核对 --url", "check --url")),
        ClientError::Form(cause) => Failure::new(
            Exit::Network,
            "network.form",
            text!("{url} 的应答格式不符", "the answer of {url} is not of the published form"),
        )
        .why(crate::failure::library_reason(&cause.to_string()))
        .next(Text::fixed("核对网关与本程序的版本是否一致", "compare the versions of the gateway and this program")),
    }
}

fn silence(patience: Duration) -> Text {
    let seconds = patience.as_secs();
    if seconds == 0 {
        return Text::fixed(
            "已接受连接，但没有应答：该节点可能停住或过载",
            "it took the connection, but does not answer: the node hangs, or has too much to do",
        );
    }
    text!(
        "已接受连接，但 {seconds} 秒内没有应答：该节点可能停住或过载",
        "it took the connection, but did not answer within {seconds} s: the node hangs, or has too much to do"
    )
}

fn transport_reason(cause: &(dyn std::error::Error + 'static)) -> Text {
    // The innermost cause is what a person can do something about: "Connection refused".
    let mut inner: &(dyn std::error::Error + 'static) = cause;
    while let Some(source) = inner.source() {
        inner = source;
    }
    match inner.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
        Some(std::io::ErrorKind::ConnectionRefused) => {
            Text::fixed("该地址没有程序在监听", "nothing listens at that address")
        }
        Some(std::io::ErrorKind::TimedOut) => Text::fixed("连接超时", "the connection timed out"),
        _ if inner.to_string().contains("lookup address") => {
            Text::fixed("主机名无法解析", "the name of the host cannot be resolved")
        }
        _ => {
            let cause = inner.to_string();
            text!("连接中断（{cause}）", "the connection broke ({cause})")
        }
    }
}

/// A refusal by the network, in plain words.
pub fn refused(view: &view::TransactionView) -> Failure {
    let id = view.id.map(|id| id.to_string()).unwrap_or_default();
    match (&view.refusal, view.state) {
        (Some(refusal), _) => {
            let failure = Failure::new(
                Exit::Refused,
                refusal.code.clone(),
                text!("网络拒绝了这笔交易", "the network refused the transaction"),
            )
            .why(Text { zh: refusal.zh.clone().into(), en: refusal.en.clone().into() });
            let remedy = Text { zh: refusal.remedy_zh.clone().into(), en: refusal.remedy_en.clone().into() };
            match refusal.retry {
                _ if !remedy.zh.is_empty() => failure.next(remedy),
                true => failure.next(Text::fixed("原因消除后可再次提交", "when the reason is gone, send it again")),
                false => failure,
            }
        }
        (None, view::TransactionState::Expired) => Failure::new(
            Exit::Network,
            "transaction.expired",
            text!("交易 {id} 已过有效期，未写入账本", "the transaction {id} expired before it was in a block"),
        )
        .next(Text::fixed("请重新执行该命令", "run the command again")),
        _ => not_final(&id),
    }
}

/// A transaction that is not final in time.
pub fn not_final(id: &str) -> Failure {
    Failure::new(
        Exit::Network,
        "network.not_final",
        text!("交易 {id} 在限定时间内尚未确认", "the transaction {id} is not final within the time allowed"),
    )
    .why(Text::fixed(
        "交易已被受理，但网络暂未达成终局；不会丢失，到期后自动失效",
        "it was accepted, but the network has not finalised it; it will either be, or expire",
    ))
    .next(text!(
        "稍后执行 zhulian tx wait {id}，或再次执行原命令（已完成的不会重复）",
        "run `zhulian tx wait {id}` later, or the same command again; what is done is not done twice"
    ))
}

/// Block time as people of this country read it.
pub fn beijing(time_ms: u64) -> Text {
    let time = zhulian_verify::format_time(time_ms);
    text!("{time}（北京时间）", "{time} (UTC+8)")
}

/// The least of what is left and a step, for waiting in steps.
pub fn step(left: Duration) -> Duration {
    left.min(Duration::from_secs(20))
}
