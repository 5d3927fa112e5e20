//! `zhulian validator`: who decides blocks, and the motions by which that changes.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use zhulian_api::{Hex32, view};
use zhulian_crypto::{Algorithm, SigningKey};
use zhulian_modules::{
    governance::{Action, Address, Genesis, Seat},
    identity::{OrganisationName, Uscc},
};

use super::{member::uscc, org};
use crate::{
    failure::{Exit, Failure, Result},
    local::{node_config, write_node_key},
    private_file,
    remote::Remote,
    report::Report,
    session::Session,
    text,
    text::{Lang, Text},
};

/// Validators: who decides blocks, and motions that change it (验证节点及其变更)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// List the validators, those to come, and how power is spread (列出验证节点、待生效变更与权力集中度)
    List,
    /// Make the key and configuration of a validator to be (为拟增设的验证节点生成密钥与配置)
    Prepare(Prepare),
    /// Move to add a validator, whose node should run already; signed by a representative (提议增加；其节点宜先启动)
    ProposeAdd(ProposeAdd),
    /// Move to remove a validator (提议移除)
    ProposeRemove(ProposeRemove),
    /// Move to give a validator another key (提议更换密钥)
    ProposeRekey(ProposeRekey),
    /// Vote on a motion; signed by a representative (投票)
    Vote(org::Vote),
}

/// Options of `validator prepare`.
#[derive(Args, Debug)]
pub struct Prepare {
    /// Directory for the new node's files (新节点文件目录)
    pub dir: PathBuf,
    /// The network's genesis document (网络的创世文件)
    #[arg(long, value_name = "genesis.cbor")]
    pub genesis: PathBuf,
    /// A running validator as KEY=HOST:PORT; may be repeated (运行中的验证节点，公钥=主机:端口，可重复)
    #[arg(long = "peer", value_name = "KEY=HOST:PORT", required = true, value_parser = peer)]
    pub peers: Vec<(String, String)>,
    /// Where it listens for other validators (监听其他节点的地址)
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:4600")]
    pub listen: SocketAddr,
    /// Where its gateway listens (网关监听地址)
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8640")]
    pub gateway: SocketAddr,
}

/// Options of `validator propose-add`.
#[derive(Args, Debug)]
pub struct ProposeAdd {
    /// Unified social credit code of the organisation that runs it (运行机构的统一社会信用代码)
    #[arg(value_parser = uscc)]
    pub uscc: Uscc,
    /// Its Ed25519 public key in hexadecimal (Ed25519 公钥，十六进制)
    #[arg(value_parser = key)]
    pub public_key: [u8; 32],
    /// Where others reach it, as HOST:PORT (他方可达的地址，主机:端口)
    #[arg(value_parser = address)]
    pub address: Address,
    /// Its name, as people know it (名称)
    #[arg(long, value_parser = name)]
    pub name: OrganisationName,
    /// Move it though validators are down or behind (即使有验证节点离线或落后仍提议)
    #[arg(long)]
    pub anyway: bool,
}

/// Options of `validator propose-remove`.
#[derive(Args, Debug)]
pub struct ProposeRemove {
    /// Unified social credit code of the organisation that runs it (运行机构的统一社会信用代码)
    #[arg(value_parser = uscc)]
    pub uscc: Uscc,
    /// Its public key (公钥)
    #[arg(value_parser = key)]
    pub public_key: [u8; 32],
}

/// Options of `validator propose-rekey`.
#[derive(Args, Debug)]
pub struct ProposeRekey {
    /// Its public key (现用公钥)
    #[arg(value_parser = key)]
    pub public_key: [u8; 32],
    /// The key that it is to have (新公钥)
    #[arg(value_parser = key)]
    pub new_public_key: [u8; 32],
    /// Where others reach it from then on, as HOST:PORT; default as before (新地址；默认不变)
    #[arg(long, value_parser = address)]
    pub address: Option<Address>,
    /// Move it though validators are down or behind (即使有验证节点离线或落后仍提议)
    #[arg(long)]
    pub anyway: bool,
}

type Parsed<T> = std::result::Result<T, String>;

fn key(text: &str) -> Parsed<[u8; 32]> {
    let bytes = hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "64 hexadecimal digits".into())
}

fn address(text: &str) -> Parsed<Address> {
    Address::parse(text).map_err(|_| "HOST:PORT".into())
}

fn name(text: &str) -> Parsed<OrganisationName> {
    OrganisationName::parse(text).map_err(|error| format!("{error:?}"))
}

fn peer(text: &str) -> Parsed<(String, String)> {
    let (public_key, at) = text.split_once('=').ok_or("KEY=HOST:PORT")?;
    key(public_key)?;
    address(at)?;
    Ok((public_key.to_lowercase(), at.into()))
}

/// Runs the command.
///
/// # Errors
/// When it does not succeed.
pub fn run(session: &Session, command: &Command) -> Result<Report> {
    match command {
        Command::List => list(session),
        Command::Prepare(args) => prepare(args),
        Command::ProposeAdd(args) => {
            let seat = Seat {
                name: args.name.clone(),
                organisation: args.uscc,
                public_key: args.public_key,
                address: Some(args.address.clone()),
            };
            let change = Change::ADD;
            let reserve = change.refuse_in_need(session, args.anyway)?;
            Ok(org::propose(session, Action::AddValidator(seat))?.fact(RESERVE, reserve).next(SEE_IT_FOLLOW))
        }
        Command::ProposeRemove(args) => org::propose(session, Action::RemoveValidator(args.uscc, args.public_key)),
        Command::ProposeRekey(args) => {
            let reserve = Change::rekey(args.public_key).refuse_in_need(session, args.anyway)?;
            let action = Action::RekeyValidator(args.public_key, args.new_public_key, args.address.clone());
            Ok(org::propose(session, action)?.fact(RESERVE, reserve).next(SEE_IT_FOLLOW))
        }
        Command::Vote(args) => org::vote(session, args),
    }
}

/// Blocks that a validator may be behind and count as up.
const BEHIND: u64 = 50;
const RESERVE: Text = Text::fixed("冗余", "reserve");
const SEE_IT_FOLLOW: Text = Text::fixed(
    "动议通过后，在 zhulian validator list 中确认新节点已跟随；新任期开始后，在 zhulian status 中确认其在线，再作下一次变更。",
    "When it is carried, see in `zhulian validator list` that the new node follows; when the epoch has begun, see in `zhulian status` \
     that it is up, and only then make the next change.",
);

/// A change by which validators come that have not signed yet: as long as they do not, they only make the quorum larger.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Validators more than before.
    more: usize,
    /// The one that goes, which need not be up.
    goes: Option<[u8; 32]>,
}

impl Change {
    /// One more.
    pub const ADD: Self = Self { more: 1, goes: None };

    /// Another in the place of this one.
    pub fn rekey(goes: [u8; 32]) -> Self {
        Self { more: 0, goes: Some(goes) }
    }

    /// What a motion would change; `None` if no validator comes by it.
    pub fn of(motion: &view::MotionView) -> Option<Self> {
        match motion.action.as_str() {
            "add_validator" => Some(Self::ADD),
            "rekey_validator" => Some(Self { more: 0, goes: former_key(&motion.matter) }),
            _ => None,
        }
    }

    /// Refuses it while validators are down or behind, unless that is meant; and tells what may be lost until the new one votes.
    ///
    /// # Errors
    /// When one is, or the gateway cannot be asked.
    pub fn refuse_in_need(self, session: &Session, anyway: bool) -> Result<Text> {
        let remote = Remote::new(session)?;
        let found = remote.call(remote.client.validators())?;
        let status = remote.call(remote.client.status())?;
        let goes = |it: &view::ValidatorView| self.goes.is_some_and(|key| it.public_key == Hex32(key));
        let is_up = |it: &view::ValidatorView| it.this_node || it.connected && it.height + BEHIND >= status.height;
        let comes = found.pending.iter().flat_map(|pending| &pending.items);
        let comes = comes.filter(|it| !found.items.iter().any(|had| had.public_key == it.public_key));
        let missing: Vec<_> = found.items.iter().chain(comes).filter(|it| !is_up(it) && !goes(it)).collect();
        if !missing.is_empty() && !anyway {
            return Err(in_need(&missing, status.height));
        }
        let up = found.items.iter().filter(|it| is_up(it) && !goes(it)).count();
        let all = found.items.len() + self.more;
        let quorum = zhulian_primitives::quorum(all);
        Ok(match up.checked_sub(quorum) {
            None => text!(
                "生效后 {all} 个中须有 {quorum} 个投票，现有 {up} 个在线：新节点不投票，网络即停滞",
                "then {quorum} of {all} must vote, and {up} are up now: unless the new one votes, the network stands still"
            ),
            Some(0) => text!(
                "生效后 {all} 个中须有 {quorum} 个投票，现有 {up} 个在线：在新节点投票之前，一个也不能失去",
                "then {quorum} of {all} must vote, and {up} are up now: until the new one votes, none of them may be lost"
            ),
            Some(spare) => text!(
                "生效后 {all} 个中须有 {quorum} 个投票，现有 {up} 个在线：在新节点投票之前，可失去 {spare} 个",
                "then {quorum} of {all} must vote, and {up} are up now: until the new one votes, {spare} of them may be lost"
            ),
        })
    }
}

/// The key that a motion to replace it names.
fn former_key(matter: &serde_json::Value) -> Option<[u8; 32]> {
    key(matter.get("public_key")?.as_str()?).ok()
}

fn in_need(missing: &[&view::ValidatorView], height: u64) -> Failure {
    let told = |lang: Lang| {
        let (down, behind, open, close, between) = match lang {
            Lang::Zh => ("离线", "落后区块数：", "（", "）", "、"),
            Lang::En => ("down", "blocks behind: ", " (", ")", ", "),
        };
        let one = |it: &&view::ValidatorView| {
            let state = match it.connected {
                true => format!("{behind}{}", height.saturating_sub(it.height)),
                false => down.into(),
            };
            format!("{}{open}{state}{close}", it.name)
        };
        missing.iter().map(one).collect::<Vec<_>>().join(between)
    };
    Failure::new(
        Exit::Failed,
        "validator.not_all_up",
        Text::fixed("有验证节点离线或落后，暂不宜增加或更换验证节点", "validators are down or behind, so none should be added or replaced now"),
    )
    .why(Text {
        zh: format!("{}；从未投票的新节点只会提高所需票数，直至网络停滞", told(Lang::Zh)).into(),
        en: format!("{}; one that does not vote only raises the votes needed, until the network stands still", told(Lang::En)).into(),
    })
    .next(Text::fixed(
        "先恢复上述节点（zhulian why-stalled），或移除不再使用的（zhulian validator propose-remove）；确需如此请加 --anyway",
        "bring them back first (zhulian why-stalled), or remove those that are no more (zhulian validator propose-remove); add --anyway \
         if it is meant",
    ))
}

fn list(session: &Session) -> Result<Report> {
    let remote = Remote::new(session)?;
    let found = remote.call(remote.client.validators())?;
    let (count, quorum, epoch, ends) = (found.items.len(), found.quorum, found.epoch, found.epoch_ends);
    let head = vec![
        Text::fixed("验证节点", "validator"),
        Text::fixed("信用代码", "credit code"),
        Text::fixed("状态", "state"),
        Text::fixed("公钥", "public key"),
    ];
    let row = |it: &view::ValidatorView| {
        let state = if it.connected { text!("在线", "up") } else { text!("离线", "down") };
        vec![it.name.as_str().into(), it.organisation.as_str().into(), state, it.public_key.to_string().into()]
    };
    let rows = found.items.iter().map(row).collect();
    let mut report = Report::new(
        text!(
            "第 {epoch} 任期至高度 {ends}：{count} 个验证节点，{quorum} 票确认一个区块。",
            "Epoch {epoch}, until height {ends}: {count} validators, {quorum} votes finalise a block."
        ),
        serde_json::to_value(&found).unwrap_or_default(),
    )
    .fact(Text::fixed("权力集中度", "concentration"), power(&found.power))
    .table(head, rows);
    if let Some(pending) = &found.pending {
        let (epoch, height, count) = (pending.epoch, pending.height, pending.items.len());
        let has = |key: &Hex32| pending.items.iter().any(|it| it.public_key == *key);
        let had = |key: &Hex32| found.items.iter().any(|it| it.public_key == *key);
        report = report.fact(
            Text::fixed("待生效", "to come"),
            text!("自第 {epoch} 任期（高度 {height}）起为 {count} 个", "{count} from epoch {epoch}, height {height}, on"),
        );
        for it in pending.items.iter().filter(|it| !had(&it.public_key)) {
            let (name, key, height) = (&it.name, it.public_key.to_string(), it.height);
            let state = match it.connected {
                true => text!("{name} {key}，已跟随到高度 {height}", "{name} {key}, follows at height {height}"),
                false => text!(
                    "{name} {key}，尚未联系上：请启动其节点，并检查地址与端口",
                    "{name} {key}, not heard yet: start its node, check its address and port"
                ),
            };
            report = report.fact(Text::fixed("加入", "comes"), state);
        }
        for it in found.items.iter().filter(|it| !has(&it.public_key)) {
            report = report.fact(Text::fixed("离开", "goes"), format!("{} {}", it.name, it.public_key));
        }
    }
    Ok(report)
}

/// How power is spread, in a line.
pub fn power(power: &view::PowerView) -> Text {
    let nakamoto = power.nakamoto;
    let (name, percent) = power.organisations.first().map_or(("-", 0), |held| (held.name.as_str(), held.percent));
    let even = power.organisations.iter().all(|held| held.validators == power.organisations[0].validators);
    match power.concentration.as_str() {
        // The smallest network there can be, with nobody above the others.
        "alarm" if even => {
            let count = power.organisations.len();
            text!(
                "均衡：{count} 个机构各占 {percent}%；可承受其中 1 个停止，不能承受 2 个",
                "even: {count} organisations with {percent} % each; the network bears the loss of one of them, not of two"
            )
        }
        "spread" => text!(
            "分散：单一机构最多占 {percent}%；{nakamoto} 个机构联合方可使网络停止",
            "spread: no organisation has more than {percent} %; {nakamoto} together could stop the network"
        ),
        "alarm" => text!(
            "警示：{name} 占 {percent}%，达四分之一；{nakamoto} 个机构联合可使网络停止",
            "alarm: {name} has {percent} %, a quarter or more; {nakamoto} together could stop the network"
        ),
        _ => text!(
            "过度集中：{name} 占 {percent}%，达三分之一，可独自使网络停止；请增设其他机构的验证节点",
            "excessive: {name} has {percent} %, a third or more, and could stop the network alone; let others add validators"
        ),
    }
}

fn prepare(args: &Prepare) -> Result<Report> {
    let shown = args.dir.display().to_string();
    if std::fs::read_dir(&args.dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::new(
            Exit::Usage,
            "validator.exists",
            text!("目录 {shown} 不是空的，不会覆盖", "the directory {shown} is not empty, and nothing in it is overwritten"),
        )
        .next(Text::fixed("请换一个目录", "choose another directory")));
    }
    let bytes = crate::failure::read_small(&args.genesis)?;
    let genesis = Genesis::decode(&bytes).map_err(|error| {
        let shown = args.genesis.display();
        Failure::new(
            Exit::Failed,
            "node.genesis",
            text!("创世文件 {shown} 无效", "the genesis document {shown} is not valid"),
        )
        .why(crate::failure::library_reason(&error.to_string()))
    })?;
    private_file::create_dir(&args.dir)?;
    let key = SigningKey::generate(Algorithm::EdDsa);
    let config_path = args.dir.join("node.json");
    let peers: BTreeMap<String, String> = args.peers.iter().cloned().collect();
    let config = node_config(args.listen, args.gateway, None, peers, std::path::Path::new("genesis.cbor"));
    write_node_key(&args.dir.join(&config.key), &key)?;
    private_file::write_public(&args.dir.join("genesis.cbor"), &bytes)?;
    private_file::write_public(&config_path, config.print().as_bytes())?;
    let (public_key, network) = (key.public_key().to_string(), genesis.name.clone());
    Ok(Report::new(
        text!("网络“{network}”新验证节点的文件已写入 {shown}。", "The files of a new validator of “{network}” are in {shown}."),
        serde_json::json!({ "directory": shown, "public_key": public_key, "network": network }),
    )
    .fact(Text::fixed("公钥", "public key"), public_key.as_str())
    .next(text!(
        "由一家机构的代表提议：zhulian validator propose-add <信用代码> {public_key} <主机:端口> --name <名称>",
        "Let a representative move it: `zhulian validator propose-add <credit code> {public_key} <host:port> --name <name>`"
    ))
    .next(text!(
        "在本机运行：zhulian node run --config {shown}/node.json；动议通过前它只等待，通过后先跟随，自下一任期起投票。",
        "Run it here: `zhulian node run --config {shown}/node.json`; it waits until the motion is carried, follows then, and votes from the \
         next epoch on."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_with_a_quarter_each_are_no_alarm() {
        let held =
            |validators: u32, percent| view::PowerHeld { organisation: "-".into(), name: "A".into(), validators, percent };
        let shown = |organisations| {
            let view = view::PowerView { concentration: "alarm".into(), nakamoto: 2, organisations };
            power(&view).en.into_owned()
        };
        let even = shown(vec![held(1, 25), held(1, 25), held(1, 25), held(1, 25)]);
        assert!(even.starts_with("even: 4 organisations with 25 % each"), "{even}");
        let uneven = shown(vec![held(2, 28), held(1, 14), held(1, 14), held(1, 14), held(1, 14), held(1, 14)]);
        assert!(uneven.starts_with("alarm: A has 28 %"), "{uneven}");
    }
}
