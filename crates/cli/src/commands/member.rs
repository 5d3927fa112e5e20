//! `zhulian member`: the people and systems of one's own organisation, their roles and keys.

use clap::{Args, Subcommand};
use serde_json::json;
use zhulian_crypto::PublicKey;
use zhulian_execution::{Role, Roles};
use zhulian_modules::identity::{
    AddMember, AssignRoles, ConfirmRoles, KeyEnd, Kind, MemberId, MemberKey, RegisterKey, ReinstateMember, RevokeKey,
    SuspendMember, Uscc, key_proof_bytes,
};

use crate::{
    act::act,
    failure::{Exit, Failure, Result},
    report::Report,
    session::Session,
    text,
    text::Text,
};

const MODULE: &str = "identity";

/// Manage the members of your organisation, their roles and keys (成员)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Add a member or system, without roles or keys; signed by a system administrator (添加成员)
    Add(Add),
    /// Set a member's roles; signed by a security administrator (设定角色)
    Roles(SetRoles),
    /// Confirm an administration that was proposed; signed by a system administrator (确认管理角色)
    Confirm(SetRoles),
    /// Suspend a member; signed by a system administrator (停用)
    Suspend(One),
    /// Reinstate a member; signed by a system administrator (恢复)
    Reinstate(One),
    /// Keys of members (成员密钥)
    #[command(subcommand)]
    Key(KeyCommand),
}

/// Keys of members (成员密钥)
#[derive(Subcommand, Debug)]
pub enum KeyCommand {
    /// Prove that you hold a key, for the administrator who registers it; signs with --key (出具持有证明)
    Prove(Prove),
    /// Register a member's key with its proof; signed by a security administrator (登记密钥)
    Register(Register),
    /// Revoke a key at once; what it signed before stays valid (撤销密钥)
    Revoke(Revoke),
}

/// Options of `member add`.
#[derive(Args, Debug)]
pub struct Add {
    /// A pseudonym: a-z first, then a-z 0-9 - . _; never a person's name or number (代号：以 a-z 开头，由 a-z、0-9、-、.、_ 组成；不得用姓名或证件号码)
    #[arg(value_parser = member)]
    pub member: MemberId,
    /// It is a system, not a person (是系统，不是人员)
    #[arg(long)]
    pub system: bool,
}

/// Options of `member roles` and `member confirm`.
#[derive(Args, Debug)]
pub struct SetRoles {
    /// The member (成员代号)
    #[arg(value_parser = member)]
    pub member: MemberId,
    /// All its roles: system_admin, security_admin, audit_admin, representative, officer, judge; none to take all away (全部角色：system_admin 系统管理员、security_admin 安全管理员、audit_admin 审计管理员、representative 代表、officer 经办人、judge 法官；不填即收回全部)
    #[arg(value_parser = role)]
    pub roles: Vec<Role>,
}

/// A member.
#[derive(Args, Debug)]
pub struct One {
    /// The member (成员代号)
    #[arg(value_parser = member)]
    pub member: MemberId,
}

/// Options of `member key prove`.
#[derive(Args, Debug)]
pub struct Prove {
    /// Unified social credit code of the organisation (机构的统一社会信用代码)
    #[arg(value_parser = uscc)]
    pub organisation: Uscc,
    /// The member that the key is for (密钥所属的成员)
    #[arg(value_parser = member)]
    pub member: MemberId,
}

/// Options of `member key register`.
#[derive(Args, Debug)]
pub struct Register {
    /// The member (成员代号)
    #[arg(value_parser = member)]
    pub member: MemberId,
    /// Its public key, from `zhulian key export-public` (其公钥，由 zhulian key export-public 输出)
    #[arg(value_parser = public_key)]
    pub public_key: PublicKey,
    /// The proof that it is held, from `zhulian member key prove` (持有证明，由 zhulian member key prove 输出)
    #[arg(value_parser = signature)]
    pub proof: [u8; 64],
}

/// Options of `member key revoke`.
#[derive(Args, Debug)]
pub struct Revoke {
    /// The public key (公钥)
    #[arg(value_parser = public_key)]
    pub public_key: PublicKey,
    /// rotated, lost, compromised or departed (原因：rotated 轮换、lost 遗失、compromised 泄露、departed 离职)
    #[arg(long, value_parser = key_end)]
    pub reason: KeyEnd,
}

fn member(text: &str) -> std::result::Result<MemberId, String> {
    MemberId::parse(text).map_err(|_| {
        "2 to 32 characters of a-z, 0-9, - . _, a letter first, and at most 6 digits in a row (no personal data)".into()
    })
}

/// A unified social credit code, for clap.
pub fn uscc(text: &str) -> std::result::Result<Uscc, String> {
    Uscc::parse(text.trim()).map_err(|_| "18 characters whose last one checks the others, GB 32100-2015 (应为 18 位统一社会信用代码，末位为校验码，见 GB 32100-2015)".into())
}

fn role(text: &str) -> std::result::Result<Role, String> {
    Role::parse(text).ok_or_else(|| format!("the roles are {}", Role::ALL.map(Role::name).join(", ")))
}

fn public_key(text: &str) -> std::result::Result<PublicKey, String> {
    text.trim().parse().map_err(|error: zhulian_crypto::KeyError| error.to_string())
}

fn signature(text: &str) -> std::result::Result<[u8; 64], String> {
    let mut bytes = [0; 64];
    hex::decode_to_slice(text.trim(), &mut bytes)
        .map_err(|_| "a proof has 128 hexadecimal digits (持有证明为 128 位十六进制数字)".to_string())?;
    Ok(bytes)
}

fn key_end(text: &str) -> std::result::Result<KeyEnd, String> {
    KeyEnd::parse(text).ok_or_else(|| format!("the reasons are {}", KeyEnd::ALL.map(KeyEnd::name).join(", ")))
}

/// Runs the command.
///
/// # Errors
/// When it does not succeed.
pub fn run(session: &Session, command: &Command) -> Result<Report> {
    match command {
        Command::Add(args) => {
            let kind = if args.system { Kind::System } else { Kind::Person };
            let (member, call) = (&args.member, AddMember { member: args.member.clone(), kind });
            let done = act(session, MODULE, &call)?;
            Ok(done
                .report(text!(
                    "已添加成员 {member}，尚无角色和密钥。",
                    "The member {member} is added, without roles or keys yet."
                ))
                .next(text!(
                    "下一步由安全管理员设定角色：zhulian member roles {member} officer",
                    "Next, the security administrator gives roles: zhulian member roles {member} officer"
                )))
        }
        Command::Roles(args) => {
            let (member, roles) = (&args.member, named(&args.roles));
            let call = AssignRoles { member: args.member.clone(), roles: Roles::of(&args.roles) };
            let done = act(session, MODULE, &call)?;
            let waits = done.view.events.iter().flatten().any(|event| event.name == "roles_proposed");
            Ok(done.report(if waits {
                text!(
                    "已提议成员 {member} 的角色（{roles}），其中的管理角色待系统管理员确认。",
                    "The roles of {member} ({roles}) are proposed; a system administrator has to confirm the administration."
                )
            } else {
                text!("成员 {member} 的角色已设定为：{roles}。", "The roles of {member} are now: {roles}.")
            }))
        }
        Command::Confirm(args) => {
            let (member, roles) = (&args.member, named(&args.roles));
            let call = ConfirmRoles { member: args.member.clone(), roles: Roles::of(&args.roles) };
            let done = act(session, MODULE, &call)?;
            Ok(done.report(text!("成员 {member} 的角色已确认：{roles}。", "The roles of {member} are confirmed: {roles}.")))
        }
        Command::Suspend(One { member }) => {
            let done = act(session, MODULE, &SuspendMember { member: member.clone() })?;
            Ok(done.report(text!(
                "成员 {member} 已停用，其密钥暂不生效。",
                "The member {member} is suspended; its keys do not count."
            )))
        }
        Command::Reinstate(One { member }) => {
            let done = act(session, MODULE, &ReinstateMember { member: member.clone() })?;
            Ok(done.report(text!("成员 {member} 已恢复。", "The member {member} is reinstated.")))
        }
        Command::Key(KeyCommand::Prove(args)) => prove(session, args),
        Command::Key(KeyCommand::Register(args)) => {
            let key = MemberKey(args.public_key);
            let (member, call) = (&args.member, RegisterKey { member: args.member.clone(), key, proof: args.proof });
            let done = act(session, MODULE, &call)?;
            Ok(done.report(text!("已为成员 {member} 登记密钥。", "The key is registered to the member {member}.")))
        }
        Command::Key(KeyCommand::Revoke(args)) => {
            let done = act(session, MODULE, &RevokeKey { key: MemberKey(args.public_key), end: args.reason })?;
            Ok(done
                .report(text!("密钥已撤销；此前的签名仍然有效。", "The key is revoked; what it signed before stays valid.")))
        }
    }
}

fn named(roles: &[Role]) -> String {
    match roles {
        [] => "-".into(),
        _ => roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", "),
    }
}

fn prove(session: &Session, args: &Prove) -> Result<Report> {
    let network = session.home()?.network()?;
    let (name, key) = session.signing_key()?;
    let public = key.public_key();
    let bytes = key_proof_bytes(&network.chain, &args.organisation, &args.member, &MemberKey(public));
    let proof = key.sign(&bytes);
    if !public.verify(&bytes, &proof) {
        return Err(Failure::new(Exit::Key, "key.signs_not", Text::fixed("密钥无法签名", "the key does not sign")));
    }
    let (member, proof) = (&args.member, hex::encode(proof));
    Ok(Report::new(
        text!("已出具密钥“{name}”的持有证明。", "This proves that the key “{name}” is held."),
        json!({ "member": member.as_str(), "public_key": public.to_string(), "proof": proof }),
    )
    .fact(Text::fixed("成员", "member"), member.as_str())
    .fact(Text::fixed("公钥", "public key"), public.to_string())
    .fact(Text::fixed("证明", "proof"), proof.as_str())
    .next(text!(
        "请安全管理员执行：zhulian member key register {member} {public} {proof}",
        "The security administrator runs: zhulian member key register {member} {public} {proof}"
    )))
}
