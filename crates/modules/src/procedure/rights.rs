//! What a case may do in other modules (B8): the calls there are for it, their inputs and outcomes by name, and how one is made in
//! the name of the organisation whose right it is.
//!
//! A case acts as an officer would and as nothing else. What belongs to administrators, representatives and judges, no pack can
//! give away: such a call is not in the list.

use minicbor::Encode;
use zhulian_crypto::Digest;
use zhulian_execution::{Actor, CallEntry, Context, Event as _, Halt, Module, Read, Role, Roles};
use zhulian_primitives::{Event as Record, codec};
use zhulian_procedure::{Variables, Wire};
use zhulian_rules::{Name, Value};

use super::{errors::Error, rules::Settings};
use crate::{
    MODULES,
    evidence::{
        self, BatchDeposited, CustodyKind, CustodyRecorded, Deposited, Details, SourceType, Subject, WithdrawReason,
    },
    identity::{self, MemberId, Uscc},
};

/// A call of another module that a case may make.
#[derive(Clone, Copy)]
pub struct CaseCall {
    /// The module.
    pub module: &'static Module,
    /// The call, as any member would make it.
    pub call: CallEntry,
    /// Inputs that must be given.
    pub required: &'static [&'static str],
    /// Inputs that may be given.
    pub optional: &'static [&'static str],
    /// Members of the outcome.
    pub outcome: &'static [&'static str],
    /// Whether it makes something that is numbered by the transaction: then there is one of its kind in a transaction.
    pub numbered: bool,
    args: fn(&Inputs<'_>) -> Result<Vec<u8>, Error>,
    result: fn(&Record) -> Option<Value>,
}

/// Inputs of a deposit that describe it.
const DETAILS: &[&str] = &["source_type", "custodian", "name_commitment", "process_log_root"];

/// The calls that cases may make.
pub static CASE_CALLS: &[CaseCall] = &[
    CaseCall {
        module: &evidence::MODULE,
        call: CallEntry::of::<evidence::Deposit>(),
        required: &["sha256", "sm3", "size", "chunks_root", "legal_basis"],
        optional: DETAILS,
        outcome: &["id", "sequence"],
        numbered: true,
        args: |inputs| {
            let [sha256, sm3, chunks_root] =
                [inputs.digest("sha256")?, inputs.digest("sm3")?, inputs.digest("chunks_root")?];
            let file = evidence::File { sha256, sm3, size: inputs.count("size")?, chunks_root };
            encoded(&evidence::Deposit { file, details: details(inputs)? })
        },
        result: |event| {
            let it = Deposited::of(event)?;
            Some(context([("id", Value::text(&it.id.to_string())), ("sequence", number(it.seq))]))
        },
    },
    CaseCall {
        module: &evidence::MODULE,
        call: CallEntry::of::<evidence::DepositBatch>(),
        required: &["root", "count", "legal_basis"],
        optional: DETAILS,
        outcome: &["id", "sequence"],
        numbered: true,
        args: |inputs| {
            let (root, count) = (inputs.digest("root")?, inputs.count("count")?);
            encoded(&evidence::DepositBatch { root, count, details: details(inputs)? })
        },
        result: |event| {
            let it = BatchDeposited::of(event)?;
            Some(context([("id", Value::text(&it.id.to_string())), ("sequence", number(it.seq))]))
        },
    },
    CaseCall {
        module: &evidence::MODULE,
        call: CallEntry::of::<evidence::RecordCustody>(),
        required: &["sha256", "kind", "log"],
        optional: &["sequence", "to"],
        outcome: &["number"],
        numbered: false,
        args: |inputs| {
            let kind = CustodyKind::parse(inputs.text("kind")?).ok_or(Error::InputUnfit)?;
            let (log, to) = (inputs.digest("log")?, inputs.organisation("to")?);
            encoded(&evidence::RecordCustody { subject: file(inputs)?, kind, log, to })
        },
        result: |event| CustodyRecorded::of(event).map(|it| context([("number", number(it.number))])),
    },
    CaseCall {
        module: &evidence::MODULE,
        call: CallEntry::of::<evidence::Withdraw>(),
        required: &["sha256", "reason"],
        optional: &["sequence"],
        outcome: &[],
        numbered: false,
        args: |inputs| {
            let reason = WithdrawReason::parse(inputs.text("reason")?).ok_or(Error::InputUnfit)?;
            encoded(&evidence::Withdraw { subject: file(inputs)?, reason })
        },
        result: |event| evidence::Withdrawn::of(event).map(|_| context([])),
    },
];

impl CaseCall {
    /// Its name in a task definition and in a right: `evidence.deposit`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.module.name, self.call.name)
    }

    /// The call of this name, if cases may make it.
    pub fn find(job: &str) -> Option<&'static Self> {
        let (module, call) = job.split_once('.')?;
        CASE_CALLS.iter().find(|it| it.module.name == module && it.call.name == call)
    }

    /// Whether a job names a call of a module, one that cases may make or not.
    pub fn is_named(job: &str) -> bool {
        job.split_once('.').is_some_and(|(module, _)| MODULES.iter().any(|it| it.name == module))
    }

    /// Whether a task may give an input of this name.
    pub(super) fn takes(&self, input: &str) -> bool {
        self.required.contains(&input) || self.optional.contains(&input)
    }

    /// The arguments that inputs make.
    pub(super) fn args(&self, inputs: &Inputs<'_>) -> Result<Vec<u8>, Error> {
        (self.args)(inputs)
    }

    /// Makes the call in the name of an organisation. A refusal leaves nothing of it behind.
    pub(super) fn make(&self, ctx: &mut Context<'_>, organisation: Uscc, args: &[u8]) -> Result<Value, Halt> {
        let actor = actor(ctx, organisation)?;
        let before = ctx.events().len();
        ctx.call(&self.call, actor, args)?;
        Ok(ctx.events()[before..].iter().find_map(self.result).unwrap_or_else(|| context([])))
    }
}

/// Who acts when a case does: its organisation's officer by right of the procedure, under the member id that nobody else can have.
fn actor(ctx: &mut Context<'_>, organisation: Uscc) -> Result<Actor, Halt> {
    let found = identity::ORGANISATION.get(ctx, &organisation)?.filter(|found| found.is_active());
    let found = found.ok_or(Error::OrganisationNotActive)?;
    Ok(Actor {
        key: ctx.actor().key,
        member: MemberId::CASE.into(),
        organisation: organisation.as_str().into(),
        class: found.class,
        roles: Roles::of(&[Role::Officer]),
    })
}

/// What a task gives to a call, by name.
pub(super) struct Inputs<'a> {
    pub(super) values: &'a Variables,
    pub(super) settings: &'a Settings,
}

impl Inputs<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<&str, Error> {
        self.get(name).and_then(Value::as_text).ok_or(Error::InputUnfit)
    }

    fn text_or<'s>(&'s self, name: &str, other: &'s str) -> Result<&'s str, Error> {
        if self.get(name).is_some() { self.text(name) } else { Ok(other) }
    }

    fn count(&self, name: &str) -> Result<u64, Error> {
        let number = self.get(name).and_then(Value::as_number).and_then(|number| number.to_i64());
        number.and_then(|number| u64::try_from(number).ok()).ok_or(Error::InputUnfit)
    }

    fn digest(&self, name: &str) -> Result<Digest, Error> {
        let text = self.text(name)?.as_bytes();
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut digest = [0; 32];
        if text.len() != 64 {
            return Err(Error::InputUnfit);
        }
        for (byte, pair) in digest.iter_mut().zip(text.chunks(2)) {
            *byte = match (digit(pair[0]), digit(pair[1])) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(Error::InputUnfit),
            };
        }
        Ok(digest)
    }

    fn digest_if(&self, name: &str) -> Result<Option<Digest>, Error> {
        self.get(name).is_some().then(|| self.digest(name)).transpose()
    }

    /// An organisation by the procedure's name for it, or by its code.
    fn organisation(&self, name: &str) -> Result<Option<Uscc>, Error> {
        if self.get(name).is_none() {
            return Ok(None);
        }
        self.settings.office(self.text(name)?).map(Some).ok_or(Error::InputUnfit)
    }
}

fn details(inputs: &Inputs<'_>) -> Result<Details, Error> {
    let source_type = SourceType::parse(inputs.text_or("source_type", SourceType::File.name())?).ok_or(Error::InputUnfit)?;
    let basis = evidence::LegalBasis::parse(inputs.text("legal_basis")?).map_err(|_| Error::InputUnfit)?;
    Ok(Details {
        custodian: inputs.organisation("custodian")?,
        name_commitment: inputs.digest_if("name_commitment")?,
        process_log_root: inputs.digest_if("process_log_root")?,
        ..Details::new(source_type, basis)
    })
}

fn file(inputs: &Inputs<'_>) -> Result<Subject, Error> {
    let sequence = if inputs.get("sequence").is_some() { inputs.count("sequence")? } else { 0 };
    Ok(Subject::File(inputs.digest("sha256")?, u32::try_from(sequence).map_err(|_| Error::InputUnfit)?))
}

fn encoded(args: &impl Encode<()>) -> Result<Vec<u8>, Error> {
    Ok(codec::to_bytes(args))
}

fn number(n: u32) -> Value {
    Value::Number(i64::from(n).into())
}

fn context<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.into_iter().map(|(name, value)| (Name::from(name), value)).collect();
    Value::context(entries).unwrap_or_default()
}

/// The outcome of a call as a task's results: the variable that the task names, or nothing.
pub(super) fn results(variable: Option<&str>, outcome: &Value) -> Variables {
    let wire = variable.and_then(|name| Some((name.to_owned(), Wire::of(outcome)?)));
    Variables(wire.into_iter().collect())
}
