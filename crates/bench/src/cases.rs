//! Cases of a procedure that was deployed: opened, and advanced step by step, on the network and on one core by itself.

use std::{
    collections::HashMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use minicbor::Encode;
use rayon::prelude::*;
use zhulian_api::{Client, Wait, view::TransactionState};
use zhulian_crypto::SigningKey;
use zhulian_execution::Event as _;
use zhulian_ledger::{BlockContext, Key, Value};
use zhulian_modules::{
    executor,
    governance::{Action, CastBallot, Genesis, OpenMotion},
    procedure::{CaseId, CaseOpened, Channel, Complete, Open},
    rulepack::{Draft, Item, ItemKind, Keeps, Manifest, PackId, StagePart, day_of},
};
use zhulian_primitives::{Call, ChainId, Height, Receipt, VALIDITY_BLOCKS_MAX, codec, sign};
use zhulian_procedure::Variables;
use zhulian_rules::Value as RuleValue;

use crate::{CONNECTIONS, PER_REQUEST, load, network::FOUNDERS};

/// Tasks of a case, each of another office than the one before.
pub const STEPS: usize = 5;
const PACK: &str = "bench-permit";
/// Signing of what is not yet known to be right takes its time.
const WAIT: Duration = Duration::from_secs(30);

/// Five tasks of four offices; after the second the amount decides whether an expert looks at it, which all of them need.
fn drawing() -> String {
    let office = |n: usize| FOUNDERS[n % FOUNDERS.len()].0;
    let offices: String =
        (0..FOUNDERS.len()).map(|n| format!(r#"<zeebe:property name="office:o{n}" value="{}"/>"#, office(n))).collect();
    let tasks: String = (0..STEPS)
        .map(|n| {
            let group = n % FOUNDERS.len();
            format!(r#"<userTask id="t{n}"><extensionElements><zeebe:assignmentDefinition candidateGroups="o{group}"/></extensionElements></userTask>"#)
        })
        .collect();
    let flow = |from: &str, to: &str| format!(r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"/>"#);
    let flows = [("s", "t0"), ("t0", "t1"), ("t1", "g"), ("t2", "m"), ("m", "t3"), ("t3", "t4"), ("t4", "e")];
    let flows: String = flows.into_iter().map(|(from, to)| flow(from, to)).collect();
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="urn:bench">
<process id="{PACK}" name="许可" isExecutable="true"><extensionElements><zeebe:properties>{offices}
<zeebe:property name="variable:amount" value="number"/><zeebe:property name="variable:outcome" value="string"/></zeebe:properties></extensionElements>
<startEvent id="s"/>{tasks}<exclusiveGateway id="g" default="g-m"/><exclusiveGateway id="m"/><endEvent id="e"/>{flows}
<sequenceFlow id="g-t2" sourceRef="g" targetRef="t2"><conditionExpression>=amount &gt; 100</conditionExpression></sequenceFlow>
<sequenceFlow id="g-m" sourceRef="g" targetRef="m"/></process></definitions>"#
    )
}

/// What signs, and what it signs for.
pub struct Signers<'a> {
    /// The network.
    pub chain: ChainId,
    /// A representative of each founder.
    pub representatives: &'a [SigningKey],
    /// Officers, those of one founder after the other.
    pub officers: &'a [SigningKey],
}

impl Signers<'_> {
    fn sign(&self, key: &SigningKey, module: &str, call: &str, args: &impl Encode<()>, height: Height) -> Vec<u8> {
        let args = codec::to_bytes(args);
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).expect("the system gives randomness");
        sign(
            &Call { chain: self.chain, module, call, args: &args, nonce, valid_until: height + VALIDITY_BLOCKS_MAX - 64 },
            key,
        )
    }

    /// An officer of a founder.
    fn officer(&self, founder: usize, n: usize) -> &SigningKey {
        let each = self.officers.len() / FOUNDERS.len();
        &self.officers[founder % FOUNDERS.len() * each + n % each]
    }

    /// What puts the pack into force at a time, one transaction after the other.
    fn deployment(&self, from: u64, height: Height) -> anyhow::Result<Vec<Vec<u8>>> {
        let text = drawing();
        let pack = PackId::parse(PACK).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let items = vec![Item::of(ItemKind::Procedure, "permit.bpmn", text.as_bytes())];
        let (zh, en, statute) = ("许可".into(), "Permit".into(), "行政许可法第四十二条".into());
        let manifest =
            Manifest { pack, version: 1, zh, en, statute, from, to: None, notice_ms: 0, keeps: Keeps::Opened, items };
        let action = Action::EnactRules(manifest.digest());
        let first = &self.representatives[0];
        let mut all = vec![
            self.sign(first, "rulepack", "stage_part", &StagePart { bytes: text.into_bytes() }, height),
            self.sign(first, "rulepack", "draft", &Draft { manifest }, height),
            self.sign(first, "governance", "open_motion", &OpenMotion { action }, height),
        ];
        let ballot = CastBallot { motion: 0, approve: true };
        all.extend(self.representatives.iter().map(|key| self.sign(key, "governance", "cast_ballot", &ballot, height)));
        Ok(all)
    }

    fn opens(&self, count: usize, height: Height) -> Vec<Vec<u8>> {
        let open = |n: usize| Open {
            pack: PackId::parse(PACK).expect("a pack id"),
            process: PACK.into(),
            applicant: zhulian_crypto::sha256(&n.to_be_bytes()),
            channel: Channel::Online,
            variables: Variables::default(),
            message: None,
            materials: Vec::new(),
        };
        (0..count).into_par_iter().map(|n| self.sign(self.officer(0, n), "procedure", "open", &open(n), height)).collect()
    }

    /// The n-th step of every case.
    fn steps(&self, cases: &[CaseId], step: usize, height: Height) -> Vec<Vec<u8>> {
        let results = match step {
            0 => Variables::of([("amount", RuleValue::Number(500.into()))]),
            4 => Variables::of([("outcome", RuleValue::text("granted"))]),
            _ => Variables::default(),
        };
        // The case itself has the number 1, and tasks are numbered as they are reached.
        let complete = |case: CaseId| Complete { case, task: step as u32 + 2, results: results.clone(), error: None };
        let signed = |(n, case): (usize, &CaseId)| {
            self.sign(self.officer(step, n), "procedure", "complete", &complete(*case), height)
        };
        cases.par_iter().enumerate().map(signed).collect()
    }
}

/// How fast cases went on.
#[derive(Debug)]
pub struct CaseRun {
    /// Cases.
    pub cases: usize,
    /// Steps of cases a second.
    pub steps_per_s: f64,
    /// Openings a second.
    pub opens_per_s: f64,
    /// Steps that were refused or lost, with the first reason.
    pub failed: (usize, Option<String>),
}

/// Deploys the procedure on the network by a vote, opens cases and takes all of them through all steps.
pub async fn on_network(clients: &[Client], signers: &Signers<'_>, count: usize) -> anyhow::Result<CaseRun> {
    let client = &clients[0];
    let height = || async { anyhow::Ok(client.status().await?.height) };
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map(|time| time.as_millis() as u64);
    let from = now()? + 6_000;
    for transaction in signers.deployment(from, height().await?)? {
        let views = client.submit(&[transaction], Wait::Finalised(WAIT)).await?;
        let view = views.first().context("an answer")?;
        // The last ballot comes when the motion is already carried.
        let late = view.refusal.as_ref().is_some_and(|refusal| refusal.code.starts_with("governance."));
        anyhow::ensure!(view.state == TransactionState::Finalised || late, "not deployed: {view:?}");
    }
    while now()? < from + 1_000 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Numbers of a day follow one another, so that those of all cases are known when all are opened on one day.
    let day = || day_of(now().unwrap_or_default()).context("a day");
    let before = day()?;
    let opened = load::closed(clients, &signers.opens(count, height().await?), CONNECTIONS, PER_REQUEST).await?;
    anyhow::ensure!(opened.finalised == count, "{} of {count} cases opened: {:?}", opened.finalised, opened.reason);
    anyhow::ensure!(day()? == before, "midnight passed while cases were opened: run it again");
    let number = |n: usize| CaseId::new(before.year(), before.month(), before.day(), n as u32 + 1);
    let cases: Vec<CaseId> = (0..count).map(number).collect::<Option<_>>().context("at most 999,999 cases a day")?;
    let (mut done, mut failed, mut time) = (0, (0, None), Duration::ZERO);
    for step in 0..STEPS {
        let transactions = signers.steps(&cases, step, height().await?);
        let wave = load::closed(clients, &transactions, CONNECTIONS, PER_REQUEST).await?;
        done += wave.finalised;
        time += wave.time;
        failed = (failed.0 + wave.failed, failed.1.or(wave.reason));
    }
    Ok(CaseRun {
        cases: count,
        steps_per_s: done as f64 / time.as_secs_f64(),
        opens_per_s: opened.finalised as f64 / opened.time.as_secs_f64(),
        failed,
    })
}

/// The same on one core without a network: what execution alone allows. Signatures are checked elsewhere and are not in it.
pub fn on_one_core(genesis: &Genesis, signers: &Signers<'_>, count: usize) -> anyhow::Result<CaseRun> {
    let executor = executor();
    let mut state: HashMap<Key, Value> = genesis.state().into_iter().collect();
    let (mut height, mut time) = (0, genesis.time + 1);
    let mut block = |transactions: &[Vec<u8>], spent: &mut Duration| {
        (height, time) = (height + 1, time + 1_000);
        let context = BlockContext { chain: signers.chain, height, time, parent: [height as u8; 32], proposer: [0; 32] };
        let start = Instant::now();
        let outcome = executor.execute(&context, transactions, |key| state.get(key).cloned());
        let outcome = outcome.map_err(|unknown| anyhow::anyhow!("{unknown:?}"))?;
        *spent += start.elapsed();
        for (key, value) in outcome.writes {
            match value {
                Some(value) => state.insert(key, value),
                None => state.remove(&key),
            };
        }
        outcome.receipts.iter().map(|bytes| Receipt::decode(bytes).map_err(Into::into)).collect::<anyhow::Result<Vec<_>>>()
    };
    let mut preparing = Duration::ZERO;
    for transaction in signers.deployment(genesis.time + 20_000, 0)? {
        block(&[transaction], &mut preparing)?;
    }
    (0..15).try_for_each(|_| block(&[], &mut preparing).map(|_| ()))?;
    let (mut cases, mut opening) = (Vec::new(), Duration::ZERO);
    for transactions in signers.opens(count, 22).chunks(PER_REQUEST) {
        let receipts = block(transactions, &mut opening)?;
        cases.extend(receipts.iter().flat_map(|receipt| &receipt.events).filter_map(CaseOpened::of).map(|event| event.case));
    }
    anyhow::ensure!(cases.len() == count, "{} of {count} cases opened", cases.len());
    let (mut done, mut failed, mut spent) = (0, (0, None), Duration::ZERO);
    for step in 0..STEPS {
        for transactions in signers.steps(&cases, step, 22).chunks(PER_REQUEST) {
            for receipt in block(transactions, &mut spent)? {
                match receipt.refusal {
                    None => done += 1,
                    Some(code) => failed = (failed.0 + 1, failed.1.or(Some(format!("{} {}", code.module, code.number)))),
                }
            }
        }
    }
    Ok(CaseRun {
        cases: count,
        steps_per_s: f64::from(done) / spent.as_secs_f64(),
        opens_per_s: count as f64 / opening.as_secs_f64(),
        failed,
    })
}
