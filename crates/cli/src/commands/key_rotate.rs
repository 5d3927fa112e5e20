//! `zhulian key rotate`: a new key in place of one's own, in one step.

use clap::Args;
use serde_json::json;
use zhulian_api::Hex32;
use zhulian_crypto::{PublicKey, SigningKey};
use zhulian_modules::identity::{Key, MemberKey, RotateKey, key_proof_bytes, key_state_key};
use zhulian_primitives::codec;

use crate::{
    act::act_by,
    failure::{AtPath as _, Exit, Failure, Result, read_small},
    home::{key_failure, read_key},
    keyfile::{Cost, KeyFile},
    private_file,
    remote::Remote,
    report::Report,
    session::Session,
    text,
    text::{Text, grouped},
};

/// Options of `key rotate`.
#[derive(Args, Debug)]
pub struct Rotate {
    /// For how many more blocks the old key counts, for what is on its way (旧密钥再保留的区块数，供在途交易使用)
    #[arg(long, value_name = "BLOCKS", default_value_t = 64)]
    pub overlap: u64,
}

/// Replaces the key that signs. May be run again when it was interrupted at any point.
///
/// # Errors
/// When the key is no member's, or the network does not take the new one.
pub fn run(session: &Session, args: &Rotate) -> Result<Report> {
    let home = session.home()?;
    let network = home.network()?;
    let path = home.key_path(&home.key_name(session.options.key.as_deref())?)?;
    let waiting = path.with_extension("zlkey-next");
    let remote = Remote::new(session)?;
    if !path.exists() && waiting.exists() {
        // Earlier versions took the old file away first. The new key is the holder's, if the network has it.
        let next = read_key(&waiting)?.public_key;
        remote.expect(&network)?;
        if let Some(holder) = record(&remote, next)? {
            std::fs::rename(&waiting, &path).at(&waiting)?;
            return Ok(replaced_before(&read_key(&path)?.name, next)
                .fact(Text::fixed("成员", "member"), holder.member.as_str())
                .fact(Text::fixed("新公钥", "new public key"), next.to_string()));
        }
    }
    let file = read_key(&path)?;
    let (key, passphrase) = session.unlocked(&home, &path, &file)?;
    let name = &file.name;
    remote.expect(&network)?;
    let Some(holder) = record(&remote, key.public_key())? else {
        return Err(Failure::new(
            Exit::Key,
            "key.unregistered",
            text!("密钥“{name}”未登记", "the key “{name}” is not registered"),
        )
        .next(Text::fixed(
            "持有人先出具证明：zhulian member key prove；再由本机构安全管理员登记：zhulian member key register",
            "the holder proves it with `zhulian member key prove`, then a security administrator of the organisation registers it with \
             `zhulian member key register`",
        )));
    };

    // The new key is on disk before the network hears of it: nothing that happens in between loses it.
    if read_key(&waiting).is_err_and(|failure| failure.code == "key.malformed") {
        // Torn by earlier versions, before the network heard of it.
        std::fs::remove_file(&waiting).at(&waiting)?;
    }
    let next = if waiting.exists() {
        read_key(&waiting)?.open(&passphrase).map_err(|error| key_failure(&waiting, error))?
    } else {
        let next = SigningKey::generate(key.public_key().algorithm());
        let sealed =
            KeyFile::seal(name, &next, &passphrase, Cost::default()).map_err(|error| key_failure(&waiting, error))?;
        private_file::create(&waiting, sealed.print().as_bytes())?;
        next
    };
    let public = next.public_key();
    let mut report = if record(&remote, public)?.is_some() {
        replaced_before(name, public)
    } else {
        let member = MemberKey(public);
        let proof = next.sign(&key_proof_bytes(&network.chain, &holder.organisation, &holder.member, &member));
        let done = act_by(session, &key, "identity", &RotateKey { key: member, proof, overlap: args.overlap })?;
        done.report(text!("密钥“{name}”已更换。", "The key “{name}” is replaced."))
    };
    let number = key.public_key().to_string();
    let kept = path.with_extension(format!("zlkey-old-{}", number.get(..8).unwrap_or_default()));
    // A copy first: at every moment there is a key file of this name.
    private_file::replace(&kept, &read_small(&path)?)?;
    std::fs::rename(&waiting, &path).at(&waiting)?;
    let (shown, overlap) = (kept.display().to_string(), grouped(args.overlap));
    report = report
        .fact(Text::fixed("成员", "member"), holder.member.as_str())
        .fact(Text::fixed("新公钥", "new public key"), public.to_string())
        .fact(Text::fixed("旧密钥文件", "file of the old key"), shown);
    Ok(report.next(text!(
        "旧密钥在 {overlap} 个区块后失效，口令不变；请备份新文件，此后可删除旧文件。",
        "The old key counts for {overlap} more blocks; the passphrase is as before. Keep a copy of the new file; the old one may go then."
    )))
}

fn replaced_before(name: &str, public: PublicKey) -> Report {
    let sentence =
        text!("密钥“{name}”此前已更换，现已启用新密钥。", "The key “{name}” was replaced before; its file now is, too.");
    Report::new(sentence, json!({ "name": name, "public_key": public.to_string() }))
}

/// What the ledger says of a key; `None` when it is not registered. The gateway's word is enough here: the network has the last one.
fn record(remote: &Remote, key: PublicKey) -> Result<Option<Key>> {
    let state = remote.call(remote.client.state(Hex32(key_state_key(&MemberKey(key)))))?;
    let Some(value) = state.value else { return Ok(None) };
    codec::from_bytes(&value.0).map(Some).map_err(|error| {
        let what = Text::fixed("网关返回的密钥记录无效", "the gateway's record of the key is not valid");
        Failure::new(Exit::Network, "network.answer", what).why(crate::failure::library_reason(&error.to_string()))
    })
}
