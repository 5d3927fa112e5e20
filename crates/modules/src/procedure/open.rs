//! How a case begins, and the one thing that may come after its end.

use minicbor::{Decode, Encode};
use zhulian_crypto::Digest;
use zhulian_execution::{Allowed, Call, Context, Halt, Read, Text};
use zhulian_ledger::Key;
use zhulian_procedure::{Instance, Variables};

use super::{
    calls::{HANDS, name, submit},
    clock,
    desk::{Desk, now},
    errors::Error,
    events::{CaseOpened, CaseRated},
    host::{CaseHost, STEP_GAS},
    rules, state,
    types::{Case, CaseId, Channel},
};
use crate::{
    identity::Me,
    rulepack::{self, PackId, day_of},
};

/// Opens a case.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Open {
    /// The pack.
    #[n(0)]
    pub pack: PackId,
    /// The process in the pack.
    #[n(1)]
    pub process: String,
    /// Salted commitment to the applicant.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub applicant: Digest,
    /// How the application came in.
    #[n(3)]
    pub channel: Channel,
    /// The facts that the procedure needs, private ones as commitments.
    #[n(4)]
    pub variables: Variables,
    /// The message by which it starts, when it does not start by itself.
    #[n(5)]
    pub message: Option<String>,
    /// Materials that come with the application.
    #[cbor(n(6), skip_if = "Vec::is_empty")]
    pub materials: Vec<Enclosed>,
}

/// A material that comes with an application.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Enclosed {
    /// Its name in the procedure or the pack's list.
    #[n(0)]
    pub name: String,
    /// Salted commitment to it, or its evidence digest.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub commitment: Digest,
}

impl Call for Open {
    const NAME: &'static str = "open";
    const ALLOWED: Allowed = HANDS;
    const ABOUT: Text = Text {
        en: "Opens a case of a procedure in force, for an applicant known by a commitment; it gets its number and its clock starts.",
        zh: "依现行流程立案（申请人以承诺表示），分配办件编号并开始计时。",
    };
    const CDDL: &'static str = "{ 0: pack_id, 1: tstr, 2: digest, 3: case_channel, 4: case_variables, ? 5: tstr, ? 6: [1*200 [tstr, digest]] }   ; pack, process, applicant, channel, facts, message, materials";

    fn check(&self) -> Result<(), Halt> {
        name(&self.process)?;
        self.materials.iter().try_for_each(|material| name(&material.name))?;
        self.message.as_deref().map_or(Ok(()), name)
    }

    fn reads(&self) -> Vec<Key> {
        vec![state::TOTALS.key(&())]
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let time = ctx.block_time();
        let version = rulepack::in_force(ctx, &self.pack, time)?.ok_or(Error::ProcedureNotFound)?;
        let host = CaseHost::load(ctx, &self.pack, version, &self.process, None)?;
        let process = host.pack.procedures().get(&self.process).ok_or(Error::ProcedureNotFound)?;
        rules::values(&self.variables, &[process], host.mended)?;
        let clock = clock::start(&host.settings, host.days())?;
        let id = number(ctx)?;

        let procedure = format!("{}/{}", self.pack, self.process);
        let step = Instance::start(&host, &procedure, self.message.as_deref(), &self.variables, now(ctx), STEP_GAS);
        let (instance, report) = step.map_err(|fault| host.refusal(fault))?;
        let case = Case {
            pack: self.pack.clone(),
            version,
            process: self.process.clone(),
            organisation: me.organisation,
            member: me.member.clone(),
            applicant: self.applicant,
            channel: self.channel,
            height: ctx.height(),
            clock,
            materials: Vec::new(),
            tasks: Default::default(),
            overrides: 0,
            pending: None,
            closed: None,
            rating: None,
            parties: Vec::new(),
            late: None,
        };
        ctx.emit(&CaseOpened {
            case: id,
            pack: self.pack.clone(),
            version,
            process: self.process.clone(),
            organisation: me.organisation,
            member: me.member.clone(),
            applicant: self.applicant,
            promised_due: case.clock.promised_due,
            limit_due: case.clock.limit_due,
            supervisor: host.settings.supervisor,
            open: case.clock.is_open(),
        });
        let mut desk = Desk { id, case, instance: instance.clone(), host, me, numbered: false, settled: false };
        for material in &self.materials {
            submit(ctx, &mut desk, &material.name, material.commitment)?;
        }
        desk.step(ctx, Ok((instance, report)))?;
        desk.write(ctx)
    }
}

/// Gives out the next number of the day.
fn number(ctx: &mut Context<'_>) -> Result<CaseId, Halt> {
    let day = day_of(ctx.block_time()).ok_or(Error::NoCalendar)?;
    let of_day = |number| CaseId::new(day.year(), day.month(), day.day(), number).ok_or(Error::TooLarge);
    let stamp = of_day(1)?.day();
    let number = state::DAY.get(ctx, &stamp)?.unwrap_or(0) + 1;
    let id = of_day(number)?;
    let mut totals = state::TOTALS.get(ctx, &())?.unwrap_or_default();
    state::DAY.put(ctx, &stamp, &number);
    state::CASE_AT.put(ctx, &totals.opened, &id);
    totals.opened += 1;
    state::TOTALS.put(ctx, &(), &totals);
    Ok(id)
}

/// Rates a closed case for the applicant.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rate {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// 5 very satisfied, 4 satisfied, 3 fair, 2 dissatisfied, 1 very dissatisfied.
    #[n(1)]
    pub level: u8,
}

impl Call for Rate {
    const NAME: &'static str = "rate";
    const ALLOWED: Allowed = HANDS;
    const ABOUT: Text = Text {
        en: "Puts the applicant's rating of a closed case on record, once, by the organisation that took the application.",
        zh: "由受理机构登记申请人对已办结办件的五级评价，仅一次。",
    };
    const CDDL: &'static str = "{ 0: case_id, 1: 1..5 }   ; case, level";

    fn check(&self) -> Result<(), Halt> {
        if (1..=5).contains(&self.level) { Ok(()) } else { Err(Error::MalformedRating.into()) }
    }

    fn reads(&self) -> Vec<Key> {
        vec![state::CASE.key(&self.case)]
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let mut case = state::CASE.get(ctx, &self.case)?.ok_or(Error::CaseNotFound)?;
        if case.organisation != me.organisation {
            return Err(Error::NotParty.into());
        }
        if case.closed.is_none() {
            return Err(Error::NotOver.into());
        }
        if case.rating.is_some() {
            return Err(Error::AlreadyRated.into());
        }
        case.rating = Some(self.level);
        ctx.emit(&CaseRated { case: self.case, level: self.level, organisation: me.organisation });
        state::CASE.put(ctx, &self.case, &case);
        Ok(())
    }
}
