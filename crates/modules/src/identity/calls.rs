//! Calls of the identity module: check, read, decide, write, emit.

use minicbor::{Decode, Encode, Encoder};
use zhulian_crypto::Signature;
use zhulian_execution::{Allowed, Call, Context, Halt, Read, Role, Roles, Text};
use zhulian_ledger::Key as StateKey;
use zhulian_primitives::{ChainId, Height, VALIDITY_BLOCKS_MAX};

use super::{
    directory::Me,
    errors::Error,
    events::{KeyEnded, KeyRegistered, MemberAdded, MemberReinstated, MemberSuspended, RolesAssigned, RolesProposed},
    rules, state,
    types::{Key, KeyEnd, Kind, Member, MemberId, MemberKey, Organisation, Uscc},
};

const SYSTEM_ADMIN: Allowed = Allowed::AnyOf(&[Role::SystemAdmin]);
const SECURITY_ADMIN: Allowed = Allowed::AnyOf(&[Role::SecurityAdmin]);

/// What a new key signs to prove that its owner holds it: `["zhulian/key/1", chain, organisation, member, key]`.
pub fn key_proof_bytes(chain: &ChainId, organisation: &Uscc, member: &MemberId, key: &MemberKey) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    Encoder::new(&mut out)
        .array(5)
        .and_then(|e| e.str("zhulian/key/1"))
        .and_then(|e| e.bytes(chain))
        .and_then(|e| e.str(organisation.as_str()))
        .and_then(|e| e.str(member.as_str()))
        .and_then(|e| e.bytes(key.0.as_bytes()))
        .expect("encoding into memory cannot fail");
    out
}

/// Adds a member without roles or keys.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AddMember {
    /// Its id.
    #[n(0)]
    pub member: MemberId,
    /// Person or system.
    #[n(1)]
    pub kind: Kind,
}

impl Call for AddMember {
    const NAME: &'static str = "add_member";
    const ALLOWED: Allowed = SYSTEM_ADMIN;
    const ABOUT: Text = Text {
        en: "Adds a member or system to one's organisation, without roles or keys.",
        zh: "为本机构添加成员或系统，不含角色与密钥。",
    };
    const CDDL: &'static str = "{ 0: member, 1: kind }";

    fn check(&self) -> Result<(), Halt> {
        if self.member.is_free() { Ok(()) } else { Err(Error::MalformedMember.into()) }
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let id = (me.organisation, self.member.clone());
        let organisation = organisation(ctx, &me.organisation)?;
        if state::MEMBER.get(ctx, &id)?.is_some() {
            return Err(Error::MemberExists.into());
        }
        let member = Member {
            kind: self.kind,
            roles: Roles::default(),
            powers_held: Roles::default(),
            added: ctx.height(),
            suspended: None,
            keys: 0,
            live_keys: 0,
            proposed: None,
        };
        state::MEMBER.put(ctx, &id, &member);
        state::MEMBER_AT.put(ctx, &(me.organisation, organisation.members), &self.member);
        let organisation = Organisation { members: organisation.members + 1, ..organisation };
        state::ORGANISATION.put(ctx, &me.organisation, &organisation);
        ctx.emit(&MemberAdded {
            organisation: me.organisation,
            member: self.member.clone(),
            kind: self.kind,
            by: Some(me.member),
        });
        Ok(())
    }
}

/// Suspends a member.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SuspendMember {
    /// The member.
    #[n(0)]
    pub member: MemberId,
}

impl Call for SuspendMember {
    const NAME: &'static str = "suspend_member";
    const ALLOWED: Allowed = SYSTEM_ADMIN;
    const ABOUT: Text = Text {
        en: "Suspends another member of one's organisation: its keys do not count until it is reinstated.",
        zh: "停用本机构其他成员；恢复之前其密钥无效。",
    };
    const CDDL: &'static str = "{ 0: member }";

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let (me, before) = colleague(ctx, &self.member)?;
        let after = rules::set_standing(&me.member, &self.member, &before, Some(ctx.height()))?;
        save(ctx, &me.organisation, &self.member, &before, &after)?;
        ctx.emit(&MemberSuspended { organisation: me.organisation, member: self.member.clone(), by: me.member });
        Ok(())
    }
}

/// Reinstates a suspended member.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReinstateMember {
    /// The member.
    #[n(0)]
    pub member: MemberId,
}

impl Call for ReinstateMember {
    const NAME: &'static str = "reinstate_member";
    const ALLOWED: Allowed = SYSTEM_ADMIN;
    const ABOUT: Text =
        Text { en: "Reinstates a suspended member of one's organisation.", zh: "恢复本机构已停用的成员。" };
    const CDDL: &'static str = "{ 0: member }";

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let (me, before) = colleague(ctx, &self.member)?;
        let after = rules::set_standing(&me.member, &self.member, &before, None)?;
        save(ctx, &me.organisation, &self.member, &before, &after)?;
        ctx.emit(&MemberReinstated { organisation: me.organisation, member: self.member.clone(), by: me.member });
        Ok(())
    }
}

/// Gives a member exactly these roles, or proposes them if an administration is new among them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AssignRoles {
    /// The member.
    #[n(0)]
    pub member: MemberId,
    /// All its roles from then on.
    #[n(1)]
    pub roles: Roles,
}

impl Call for AssignRoles {
    const NAME: &'static str = "assign_roles";
    const ALLOWED: Allowed = SECURITY_ADMIN;
    const ABOUT: Text = Text {
        en: "Gives another member of one's organisation exactly these roles; a new administration among them waits for a system administrator to confirm it.",
        zh: "设定本机构其他成员的全部角色；其中新增的管理角色须经系统管理员确认后生效。",
    };
    const CDDL: &'static str = "{ 0: member, 1: roles }";

    fn check(&self) -> Result<(), Halt> {
        if self.roles.is_known() { Ok(()) } else { Err(Error::MalformedRoles.into()) }
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let (me, before) = colleague(ctx, &self.member)?;
        let class = ctx.actor().class;
        let after = rules::assign(&me.member, class, &self.member, &before, self.roles)?;
        save(ctx, &me.organisation, &self.member, &before, &after)?;
        let (organisation, member, by) = (me.organisation, self.member.clone(), Some(me.member));
        if after.proposed.is_some() {
            ctx.emit(&RolesProposed { organisation, member, roles: self.roles, by });
        } else {
            ctx.emit(&RolesAssigned { organisation, member, roles: self.roles, by });
        }
        Ok(())
    }
}

/// Confirms proposed roles.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ConfirmRoles {
    /// The member.
    #[n(0)]
    pub member: MemberId,
    /// Exactly the proposed roles.
    #[n(1)]
    pub roles: Roles,
}

impl Call for ConfirmRoles {
    const NAME: &'static str = "confirm_roles";
    const ALLOWED: Allowed = SYSTEM_ADMIN;
    const ABOUT: Text = Text {
        en: "Confirms an administration that a security administrator proposed for another member, who then holds it.",
        zh: "确认安全管理员为其他成员提议的管理角色，确认后生效。",
    };
    const CDDL: &'static str = "{ 0: member, 1: roles }";

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let (me, before) = colleague(ctx, &self.member)?;
        let after = rules::confirm(&me.member, &self.member, &before, self.roles)?;
        save(ctx, &me.organisation, &self.member, &before, &after)?;
        ctx.emit(&RolesAssigned {
            organisation: me.organisation,
            member: self.member.clone(),
            roles: self.roles,
            by: Some(me.member),
        });
        Ok(())
    }
}

/// Registers a key of a member that administers nothing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RegisterKey {
    /// The member.
    #[n(0)]
    pub member: MemberId,
    /// Its key.
    #[n(1)]
    pub key: MemberKey,
    /// Signature of the key over [`key_proof_bytes`].
    #[cbor(n(2), with = "minicbor::bytes")]
    pub proof: Signature,
}

impl Call for RegisterKey {
    const NAME: &'static str = "register_key";
    const ALLOWED: Allowed = SECURITY_ADMIN;
    const ABOUT: Text = Text {
        en: "Registers a key, with proof that it is held, to another member of one's organisation that administers nothing.",
        zh: "为本机构非管理员的其他成员登记密钥，须附持有证明。",
    };
    const CDDL: &'static str = "{ 0: member, 1: public_key, 2: bstr .size 64 }   ; the signature over key_statement";

    fn reads(&self) -> Vec<StateKey> {
        vec![state::KEY.key(&self.key)]
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let (me, before) = colleague(ctx, &self.member)?;
        let after = rules::add_key(&me.member, &self.member, &before)?;
        register(ctx, &me, &self.member, &before, &self.key, &self.proof)?;
        save(ctx, &me.organisation, &self.member, &before, &after)
    }
}

/// Replaces the key that signs by a new one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RotateKey {
    /// The new key.
    #[n(0)]
    pub key: MemberKey,
    /// Signature of the new key over [`key_proof_bytes`].
    #[cbor(n(1), with = "minicbor::bytes")]
    pub proof: Signature,
    /// For how many more blocks the old key counts.
    #[n(2)]
    pub overlap: Height,
}

impl Call for RotateKey {
    const NAME: &'static str = "rotate_key";
    const ALLOWED: Allowed = Allowed::Member;
    const ABOUT: Text = Text {
        en: "Replaces the key that signs this transaction by a new one of the same member; the old one may stay for some blocks.",
        zh: "以本人的新密钥替换签署本交易的密钥；旧密钥可再保留若干区块。",
    };
    const CDDL: &'static str =
        "{ 0: public_key, 1: bstr .size 64, 2: 0..1024 }   ; new key, its signature over key_statement, overlap in blocks";

    fn check(&self) -> Result<(), Halt> {
        if self.overlap <= VALIDITY_BLOCKS_MAX { Ok(()) } else { Err(Error::OverlapTooLong.into()) }
    }

    fn reads(&self) -> Vec<StateKey> {
        vec![state::KEY.key(&self.key)]
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let old_key = MemberKey(ctx.actor().key);
        let me = Me::of(ctx);
        let (_, before) = colleague(ctx, &me.member)?;
        let Some(old) = state::KEY.get(ctx, &old_key)? else { return Err(Error::KeyNotFound.into()) };
        // A key that is on its way out cannot beget another: whoever finds it in a drawer gets nothing.
        if old.until.is_some() {
            return Err(Error::KeyAlreadyEnded.into());
        }
        let (now, until) = (ctx.height(), ctx.height() + self.overlap);
        let old = rules::end_key(&old, now, until, KeyEnd::Rotated)?;
        register(ctx, &me, &me.member, &before, &self.key, &self.proof)?;
        state::KEY.put(ctx, &old_key, &old);
        // One key more, and one that has an end: as many without end as before.
        let after = Member { keys: before.keys + 1, ..before.clone() };
        save(ctx, &me.organisation, &me.member, &before, &after)?;
        emit_end(ctx, &me, &me.member, &old_key, until, KeyEnd::Rotated);
        Ok(())
    }
}

/// Revokes a key at once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RevokeKey {
    /// The key.
    #[n(0)]
    pub key: MemberKey,
    /// Why.
    #[n(1)]
    pub end: KeyEnd,
}

impl Call for RevokeKey {
    const NAME: &'static str = "revoke_key";
    const ALLOWED: Allowed = Allowed::Member;
    const ABOUT: Text = Text {
        en: "Revokes a key at once: a member its own, a security administrator any of the organisation. What it signed before stays valid.",
        zh: "立即撤销密钥：成员可撤销本人的，安全管理员可撤销本机构任一密钥；此前的签名仍然有效。",
    };
    const CDDL: &'static str = "{ 0: public_key, 1: key_end }";

    fn reads(&self) -> Vec<StateKey> {
        vec![state::KEY.key(&self.key)]
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let found = state::KEY.get(ctx, &self.key)?.filter(|key| key.organisation == me.organisation);
        let Some(key) = found else { return Err(Error::KeyNotFound.into()) };
        if key.member != me.member && !ctx.actor().roles.has(Role::SecurityAdmin) {
            return Err(Error::NotYourKey.into());
        }
        let now = ctx.height();
        let ended = rules::end_key(&key, now, now, self.end)?;
        state::KEY.put(ctx, &self.key, &ended);
        if key.until.is_none() {
            let (_, before) = colleague(ctx, &key.member)?;
            let after = Member { live_keys: before.live_keys - 1, ..before.clone() };
            save(ctx, &me.organisation, &key.member, &before, &after)?;
        }
        emit_end(ctx, &me, &key.member, &self.key, now, self.end);
        Ok(())
    }
}

fn organisation(ctx: &mut Context<'_>, code: &Uscc) -> Result<Organisation, Halt> {
    Ok(state::ORGANISATION.get(ctx, code)?.expect("the actor's organisation is there"))
}

/// The actor, and a member of its organisation.
fn colleague(ctx: &mut Context<'_>, id: &MemberId) -> Result<(Me, Member), Halt> {
    let me = Me::of(ctx);
    let member = state::MEMBER.get(ctx, &(me.organisation, id.clone()))?.ok_or(Error::MemberNotFound)?;
    Ok((me, member))
}

/// Writes a changed member, and its organisation's count of acting administrators (I6).
fn save(ctx: &mut Context<'_>, code: &Uscc, id: &MemberId, before: &Member, after: &Member) -> Result<(), Halt> {
    let old = organisation(ctx, code)?;
    let new = rules::with_member(old.clone(), before, after)?;
    if new != old {
        state::ORGANISATION.put(ctx, code, &new);
    }
    state::MEMBER.put(ctx, &(*code, id.clone()), after);
    Ok(())
}

/// Registers a key of `id` (I2): fresh, and held by whoever asks.
fn register(
    ctx: &mut Context<'_>,
    me: &Me,
    id: &MemberId,
    member: &Member,
    key: &MemberKey,
    proof: &Signature,
) -> Result<(), Halt> {
    if state::KEY.get(ctx, key)?.is_some() {
        return Err(Error::KeyTaken.into());
    }
    if !key.0.verify(&key_proof_bytes(&ctx.chain(), &me.organisation, id, key), proof) {
        return Err(Error::BadProof.into());
    }
    let from = ctx.height();
    let record = Key { organisation: me.organisation, member: id.clone(), from, until: None, end: None };
    state::KEY.put(ctx, key, &record);
    state::KEY_AT.put(ctx, &(me.organisation, id.clone(), member.keys), key);
    ctx.emit(&KeyRegistered {
        organisation: me.organisation,
        member: id.clone(),
        key: *key,
        from,
        by: Some(me.member.clone()),
    });
    Ok(())
}

fn emit_end(ctx: &mut Context<'_>, me: &Me, member: &MemberId, key: &MemberKey, until: Height, end: KeyEnd) {
    ctx.emit(&KeyEnded {
        organisation: me.organisation,
        member: member.clone(),
        key: *key,
        until,
        end,
        by: me.member.clone(),
    });
}
