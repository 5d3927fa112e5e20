//! Calls of the rulepack module: check, read, decide, write, emit.

use minicbor::{Decode, Encode};
use zhulian_crypto::{Digest, sha256};
use zhulian_execution::{Allowed, Call, Context, Halt, Read, Role, Text};
use zhulian_ledger::Key as StateKey;
use zhulian_primitives::Protocol;

use super::{
    enact,
    errors::Error,
    events::{Drafted, PartStaged},
    state,
    types::{Fact, Manifest, PART_BYTES_MAX, PackId, PartId},
};
use crate::{identity::Me, text};

/// The protocol since which a draft is refused whose results a case could not keep (P2).
const KEEPABLE: Protocol = 3;
const REPRESENTATIVE: Allowed = Allowed::AnyOf(&[Role::Representative]);
const OFFICER: Allowed = Allowed::AnyOf(&[Role::Officer]);
/// Facts of one decision.
const FACTS_MAX: usize = 64;
/// Bytes of a fact's name, and of its value.
const NAME_MAX: usize = 120;
const VALUE_MAX: usize = 1_024;

/// From this protocol on a part is looked into also where it ends within a character.
const CUT_PARTS_LOOKED_INTO: Protocol = 3;

/// Puts a part of a file on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StagePart {
    /// The bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

impl Call for StagePart {
    const NAME: &'static str = "stage_part";
    const ALLOWED: Allowed = REPRESENTATIVE;
    const ABOUT: Text = Text {
        en: "Puts a part of a file of a rule pack on the ledger, to be drafted and voted on.",
        zh: "上传规则包文件的一部分，以备提交草案和表决。",
    };
    const CDDL: &'static str = "{ 0: bstr .size (1..49152) }";

    fn check(&self) -> Result<(), Halt> {
        if !(1..=PART_BYTES_MAX).contains(&self.bytes.len()) {
            return Err(Error::PartTooLarge.into());
        }
        // P8: a rule names nobody. Every file of a pack is text; a part that ends within a character is looked into when it is
        // executed, by the protocol then in force.
        if std::str::from_utf8(&self.bytes).is_ok_and(text::is_personal) {
            return Err(Error::PersonalData.into());
        }
        Ok(())
    }

    fn reads(&self) -> Vec<StateKey> {
        vec![state::PART.key(&PartId(sha256(&self.bytes)))]
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        // P8
        if ctx.protocol() >= CUT_PARTS_LOOKED_INTO && text::is_personal(&String::from_utf8_lossy(&self.bytes)) {
            return Err(Error::PersonalData.into());
        }
        let me = Me::of(ctx);
        let part = PartId(sha256(&self.bytes));
        if state::PART.get(ctx, &part)?.is_some() {
            return Err(Error::PartExists.into());
        }
        state::PART.put(ctx, &part, &state::Part(self.bytes.clone()));
        let size = self.bytes.len() as u64;
        ctx.emit(&PartStaged { part, size, organisation: me.organisation, member: me.member });
        Ok(())
    }
}

/// Drafts a version of a pack from parts that are staged.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Draft {
    /// What it is.
    #[n(0)]
    pub manifest: Manifest,
}

impl Call for Draft {
    const NAME: &'static str = "draft";
    const ALLOWED: Allowed = REPRESENTATIVE;
    const ABOUT: Text = Text {
        en: "Drafts a version of a rule pack; its rules are checked, and refused where they have gaps or silent nulls. A motion enacts it.",
        zh: "提交规则包某一版本的草案；检查其规则，有缺口或空结果者拒绝。由动议表决生效。",
    };
    const CDDL: &'static str = "{ 0: manifest }";

    fn check(&self) -> Result<(), Halt> {
        Ok(self.manifest.check()?)
    }

    fn reads(&self) -> Vec<StateKey> {
        vec![state::MANIFEST.key(&self.manifest.digest())]
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let digest = self.manifest.digest();
        if state::MANIFEST.get(ctx, &digest)?.is_some() {
            return Err(Error::DraftExists.into());
        }
        // P2
        let pack = enact::draft(ctx, &self.manifest)?;
        if ctx.protocol() >= KEEPABLE && pack.keepable().is_err() {
            return Err(Error::NotAccepted.into());
        }
        state::MANIFEST.put(ctx, &digest, &self.manifest);
        let (pack, version) = (self.manifest.pack.clone(), self.manifest.version);
        ctx.emit(&Drafted { pack, version, digest, organisation: me.organisation, member: me.member });
        Ok(())
    }
}

/// Decides by a pack.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Decide {
    /// The pack.
    #[n(0)]
    pub pack: PackId,
    /// The version that the case keeps; absent for the one in force now.
    #[n(1)]
    pub version: Option<u32>,
    /// The decision.
    #[n(2)]
    pub decision: String,
    /// The facts, by name.
    #[n(3)]
    pub facts: Vec<Fact>,
    /// Salted commitment to the case it is about.
    #[cbor(n(4), with = "crate::codec::optional_digest", has_nil)]
    pub subject: Option<Digest>,
}

impl Call for Decide {
    const NAME: &'static str = "decide";
    const ALLOWED: Allowed = OFFICER;
    const ABOUT: Text = Text {
        en: "Decides by the version of a pack that is in force, or that the case keeps, on the facts given; private ones as commitments.",
        zh: "依规则包现行版本或本案所适用的版本，就所列事实作出决定；私密事实以承诺代替。",
    };
    const CDDL: &'static str =
        "{ 0: pack_id, ? 1: uint, 2: tstr, 3: [* rule_fact], ? 4: digest }   ; pack, version, decision, facts, subject";

    fn check(&self) -> Result<(), Halt> {
        let ordered = self.facts.is_sorted_by(|a, b| a.name < b.name);
        let bounded = |fact: &Fact| text::is_plain(&fact.name, NAME_MAX) && (1..=VALUE_MAX).contains(&fact.value.len());
        if self.facts.len() > FACTS_MAX || !ordered || !self.facts.iter().all(bounded) {
            return Err(Error::MalformedFact.into());
        }
        // P8
        if self.facts.iter().any(|fact| text::is_personal(&fact.value) || text::is_personal(&fact.name)) {
            return Err(Error::PersonalData.into());
        }
        if !text::is_plain(&self.decision, NAME_MAX) {
            return Err(Error::DecisionNotFound.into());
        }
        enact::values(self)?;
        Ok(())
    }

    fn reads(&self) -> Vec<StateKey> {
        let mut keys = vec![state::LATEST.key(&self.pack)];
        keys.extend(self.version.map(|version| state::VERSION.key(&(self.pack.clone(), version))));
        keys
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        enact::decide(ctx, self).map(|_| ())
    }
}
