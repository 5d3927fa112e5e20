//! `zhulian network`: found a network for several hosts, and pin the identity of one.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    failure::{Exit, Failure, Result},
    home::read_network,
    local::{Layout, NodeFiles, PASSPHRASE_FILE, Plan, node_config, random_passphrase, write_node_key},
    private_file,
    report::Report,
    session::Session,
    text,
    text::Text,
};

/// Found networks and pin their identities (网络)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Found a network: genesis, keys, and a configuration for each host (创建网络)
    Init(Init),
    /// Print an example plan of a network, to be edited for `network init --plan` (示例方案)
    Plan,
    /// Trust a network: pin its identity in the home, for every later verification (信任网络)
    Trust(Trust),
    /// Show the identity that is trusted here (查看可信身份)
    Show,
}

/// Options of `network init`.
#[derive(Args, Debug)]
pub struct Init {
    /// Hosts of the validators, one for each validator of the plan: names or addresses, separated by commas (各验证节点的主机名或地址，每个验证节点一个，用逗号分隔)
    #[arg(long, value_delimiter = ',', required = true)]
    pub hosts: Vec<String>,
    /// Directory to write to; it must not exist or be empty (输出目录，必须不存在或为空)
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Plan of the network (JSON); default the demonstration city (网络方案（JSON）；默认为演示城市)
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Name of the network, instead of that of the plan (网络名称，代替方案中的名称)
    #[arg(long)]
    pub name: Option<String>,
    /// Port on which validators listen for each other (验证节点之间通信的端口)
    #[arg(long, default_value_t = 8644)]
    pub port: u16,
    /// Port of the gateways (网关端口)
    #[arg(long, default_value_t = 8640)]
    pub gateway_port: u16,
}

/// Options of `network trust`.
#[derive(Args, Debug)]
pub struct Trust {
    /// The identity file, from a source that you trust (网络身份文件，须来自可信渠道)
    pub file: PathBuf,
    /// Replace another identity that is trusted so far (替换目前信任的另一身份)
    #[arg(long)]
    pub replace: bool,
}

/// Runs the command.
///
/// # Errors
/// When it does not succeed.
pub fn run(session: &Session, command: &Command) -> Result<Option<Report>> {
    match command {
        Command::Init(args) => init(args).map(Some),
        Command::Plan => {
            crate::print(&Plan::demo().print());
            Ok(None)
        }
        Command::Trust(args) => trust(session, args).map(Some),
        Command::Show => show(session).map(Some),
    }
}

/// Milliseconds since 1970 by this machine's clock.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64)
}

fn init(args: &Init) -> Result<Report> {
    let mut plan = match &args.plan {
        Some(path) => Plan::parse(&crate::failure::read_text(path)?)?,
        None => Plan::demo(),
    };
    if let Some(name) = &args.name {
        plan.name.clone_from(name);
    }
    let out = &args.out;
    let shown = out.display().to_string();
    if std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::new(
            Exit::Usage,
            "network.exists",
            text!("目录 {shown} 不是空的，不会覆盖", "the directory {shown} is not empty, and nothing in it is overwritten"),
        )
        .next(Text::fixed("请换一个目录", "choose another directory")));
    }
    let validators: Vec<String> = plan.organisations.iter().filter(|it| it.validator).map(|it| it.handle.clone()).collect();
    if validators.len() != args.hosts.len() {
        let (planned, given) = (validators.len(), args.hosts.len());
        return Err(Failure::new(
            Exit::Usage,
            "network.hosts",
            text!(
                "方案中有 {planned} 个验证节点，却给出了 {given} 台主机",
                "the plan has {planned} validators, but {given} hosts are given"
            ),
        )
        .next(Text::fixed(
            "使 --hosts 与方案中 validator 为 true 的机构一一对应",
            "give one host for each organisation with validator: true",
        )));
    }
    for (index, host) in args.hosts.iter().enumerate() {
        let twice = args.hosts[..index].contains(host);
        if !is_host(host) || twice {
            return Err(Failure::new(
                Exit::Usage,
                "network.hosts",
                text!("“{host}”不能用作主机", "{host:?} cannot be one of the hosts"),
            )
            .why(match twice {
                true => Text::fixed("同一主机给出了两次，端口会冲突", "it is given twice, and the two would share a port"),
                false => Text::fixed("应为主机名或 IP 地址", "it is neither a host name nor an IP address"),
            })
            .next(Text::fixed("例如 --hosts 10.0.0.1,10.0.0.2", "such as --hosts 10.0.0.1,10.0.0.2")));
        }
    }
    let layout = Layout::found(plan, now_ms())?;
    private_file::create_dir(out)?;
    layout.write_public(out)?;
    private_file::write_public(&out.join("plan.json"), layout.plan.print().as_bytes())?;

    let peers: BTreeMap<String, String> = layout
        .secrets
        .validators
        .iter()
        .zip(&args.hosts)
        .map(|(key, host)| (key.public_key().to_string(), format!("{host}:{}", args.port)))
        .collect();
    let mut rows = Vec::new();
    for ((handle, host), key) in validators.iter().zip(&args.hosts).zip(&layout.secrets.validators) {
        let files = NodeFiles::of(out.join(handle));
        private_file::create_dir(&files.dir)?;
        write_node_key(&files.key, key)?;
        let any = |port| SocketAddr::from(([0, 0, 0, 0], port));
        let url = format!("http://{host}:{}", args.gateway_port);
        let config =
            node_config(any(args.port), any(args.gateway_port), Some(url), peers.clone(), Path::new("genesis.cbor"));
        private_file::write_public(&files.config, config.print().as_bytes())?;
        layout.write_public(&files.dir)?;
        write_members(&layout, &files.dir.join("keys"), handle)?;
        rows.push(vec![handle.as_str().into(), host.as_str().into(), files.dir.display().to_string().into()]);
    }
    for organisation in layout.plan.organisations.iter().filter(|it| !it.validator) {
        write_members(&layout, &out.join(&organisation.handle).join("keys"), &organisation.handle)?;
    }
    let network = layout.genesis.network();
    let (name, chain) = (&network.name, hex::encode(network.chain));
    let head = vec![Text::fixed("机构", "organisation"), Text::fixed("主机", "host"), Text::fixed("文件", "files")];
    Ok(Report::new(
        text!("网络“{name}”已创建于 {shown}。", "The network “{name}” is founded in {shown}."),
        json!({ "name": name, "chain": chain, "directory": shown, "validators": validators, "hosts": args.hosts }),
    )
    .table(head, rows)
    .fact(Text::fixed("网络身份", "identity"), out.join("network.json").display().to_string())
    .detail(Text::fixed("链标识", "chain"), chain)
    .next(Text::fixed(
        "把每个机构的目录安全地交给该机构（内含私钥），其余副本应销毁；在各主机上执行 zhulian node run --config node.json。",
        "Give each organisation its directory over a safe way (there are secret keys in it) and destroy other copies; on each host \
         run `zhulian node run --config node.json`.",
    ))
    .next(Text::fixed(
        "公布 network.json：任何人据此可离线核验回执。",
        "Publish network.json: with it anyone can verify receipts offline.",
    )))
}

fn write_members(layout: &Layout, dir: &Path, handle: &str) -> Result<()> {
    let passphrase = random_passphrase();
    layout.write_members(dir, Some(handle), &passphrase)?;
    private_file::create(&dir.join(PASSPHRASE_FILE), passphrase.as_bytes())
}

fn trust(session: &Session, args: &Trust) -> Result<Report> {
    let home = session.home()?;
    let network = read_network(&args.file)?;
    let path = home.network_path();
    if let Ok(old) = home.network()
        && old != network
        && !args.replace
    {
        let (was, now) = (&old.name, &network.name);
        return Err(Failure::new(
            Exit::Usage,
            "network.pinned",
            text!("已信任另一个网络“{was}”", "another network, “{was}”, is trusted already"),
        )
        .why(text!(
            "改为信任“{now}”后，原网络的回执将无法核验",
            "when “{now}” is trusted instead, receipts of the former no longer verify"
        ))
        .next(Text::fixed(
            "确需更换请加 --replace；或用 --home 另设目录",
            "add --replace if that is meant, or keep a separate --home",
        )));
    }
    private_file::create_dir(&home.dir)?;
    private_file::write_public(&path, zhulian_verify::print_network(&network).as_bytes())?;
    let name = &network.name;
    Ok(identity(text!("已信任网络“{name}”。", "The network “{name}” is trusted from now on."), &network, &path))
}

fn show(session: &Session) -> Result<Report> {
    let home = session.home()?;
    let network = home.network()?;
    let name = &network.name;
    Ok(identity(
        text!("此处信任的网络是“{name}”。", "The network trusted here is “{name}”."),
        &network,
        &home.network_path(),
    ))
}

fn identity(sentence: Text, network: &zhulian_primitives::Network, path: &Path) -> Report {
    let count = network.validators.len();
    let quorum = zhulian_primitives::quorum(count);
    let head = vec![
        Text::fixed("验证节点", "validator"),
        Text::fixed("信用代码", "credit code"),
        Text::fixed("公钥", "public key"),
    ];
    let row = |it: &zhulian_primitives::Validator| {
        vec![it.name.as_str().into(), it.organisation.as_str().into(), hex::encode(it.public_key).into()]
    };
    let rows = network.validators.iter().map(row).collect();
    let json = json!({
        "name": network.name,
        "chain": hex::encode(network.chain),
        "file": path.display().to_string(),
        "validators": network.validators.iter().map(|it| json!({
            "name": it.name, "organisation": it.organisation, "public_key": hex::encode(it.public_key),
        })).collect::<Vec<_>>(),
    });
    Report::new(sentence, json)
        .fact(Text::fixed("文件", "file"), path.display().to_string())
        .fact(Text::fixed("法定人数", "quorum"), text!("{count} 个中的 {quorum} 个", "{quorum} of {count}"))
        .table(head, rows)
        .detail(Text::fixed("链标识", "chain"), hex::encode(network.chain))
        .next(Text::fixed("请与主管部门公布的链标识核对。", "Compare the chain with what the authority has published."))
}

/// An IP address, IPv6 in brackets, or the name of a host (RFC 1123).
fn is_host(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    if let Some(bare) = bare {
        return bare.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        let inside = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        inside && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(label)
}
