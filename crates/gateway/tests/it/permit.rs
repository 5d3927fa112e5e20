//! A rule pack with a procedure, voted in, and cases of it.

use std::{collections::BTreeMap, time::Duration};

use minicbor::Encode;
use zhulian_api::{Wait, view};
use zhulian_crypto::{Digest, SigningKey, sha256};
use zhulian_execution::Call;
use zhulian_modules::{
    governance::{Action, CastBallot, OpenMotion},
    procedure::{CaseId, Channel, Open},
    rulepack::{Draft, Item, ItemKind, Keeps, Manifest, PackId, StagePart},
};
use zhulian_primitives::codec;
use zhulian_procedure::{Variables, Wire};
use zhulian_rules::Value;

use crate::{city, memory::GENESIS_TIME, world::World};

const SOON: Wait = Wait::Finalised(Duration::from_secs(10));

const FEES: &str = r##"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="fees" name="Fees" namespace="urn:test:fees">
<inputData id="x" name="x"><variable name="x" typeRef="number"/></inputData>
<inputData id="rate" name="Rate"><variable name="Rate" typeRef="number"/></inputData>
<decision id="fee" name="Fee"><variable name="Fee" typeRef="number"/>
<informationRequirement><requiredInput href="#x"/></informationRequirement>
<informationRequirement><requiredInput href="#rate"/></informationRequirement>
<literalExpression><text>x * Rate</text></literalExpression></decision>
</definitions>"##;

/// The bureau (organisation 0) accepts with the deed, the fee is decided, the notary (3) reviews, the applicant pays.
fn bpmn() -> String {
    let [bureau, court, _, notary] = city::codes();
    let property = |name: &str, value: &str| format!(r#"<zeebe:property name="{name}" value="{value}"/>"#);
    let settings: String = [
        ("variable:x", "number"),
        ("variable:fee", "number"),
        ("variable:income", "commitment"),
        ("variable:outcome", "string"),
        ("office:desk", bureau.as_str()),
        ("office:experts", notary.as_str()),
        ("supervisor", court.as_str()),
        ("limit:promised", "5"),
        ("limit:statutory", "10"),
    ]
    .map(|(name, value)| property(name, value))
    .concat();
    let user = |id: &str, name: &str, group: &str, more: &str| {
        format!(
            r#"<userTask id="{id}" name="{name}"><extensionElements><zeebe:assignmentDefinition candidateGroups="{group}"/><zeebe:properties>{more}</zeebe:properties></extensionElements></userTask>"#
        )
    };
    let tasks = user("accept", "受理", "desk", &property("material:deed", "applicant"))
        + &user("review", "审查", "experts", "")
        + &user("listen", "听证", "experts:representative", "");
    let flows: String = [
        "s>accept",
        "accept>price",
        "price>fork",
        "fork>review",
        "fork>listen",
        "review>join",
        "listen>join",
        "join>pay",
        "pay>e",
    ]
    .map(|flow| {
        let (from, to) = flow.split_once('>').unwrap();
        format!(r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"/>"#)
    })
    .concat();
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="urn:test">
<message id="m" name="payment"/><process id="permit" name="许可" isExecutable="true"><extensionElements><zeebe:properties>{settings}</zeebe:properties></extensionElements>
<startEvent id="s"/>{tasks}<parallelGateway id="fork"/><parallelGateway id="join"/>
<businessRuleTask id="price"><extensionElements><zeebe:calledDecision decisionId="fee" resultVariable="fee"/></extensionElements></businessRuleTask>
<receiveTask id="pay" messageRef="m"/><endEvent id="e"/>{flows}</process></definitions>"#
    )
}

/// The files of the pack.
pub fn files() -> Vec<(ItemKind, &'static str, String)> {
    let calendar = "calendar 1\ncovers 2026-01-01 2026-12-31\noff 2026-01-01 元旦\n".to_owned();
    vec![
        (ItemKind::Procedure, "permit.bpmn", bpmn()),
        (ItemKind::Decisions, "permit.dmn", FEES.into()),
        (ItemKind::Rates, "rates.txt", "Rate = 2\n".into()),
        (ItemKind::Calendar, "days.calendar", calendar),
        (
            ItemKind::Documents,
            "documents.txt",
            "plan | catalogue | 平面图 | Plan\ndeed | applicant | 权属证明 | Deed\n".into(),
        ),
    ]
}

/// The manifest of a version that is in force from the start of the network on.
pub fn manifest(version: u32) -> Manifest {
    Manifest {
        pack: PackId::parse("permit").unwrap(),
        version,
        zh: "许可".into(),
        en: "Permit".into(),
        statute: "行政许可法第四十二条".into(),
        from: GENESIS_TIME + 20_000 * u64::from(version),
        to: None,
        notice_ms: 0,
        keeps: Keeps::Opened,
        items: files().iter().map(|(kind, name, text)| Item::of(*kind, name, text.as_bytes())).collect(),
    }
}

/// Makes a call, and gives its outcome.
pub async fn call<C: Call + Encode<()>>(world: &World, key: &SigningKey, module: &str, call: &C) -> view::TransactionView {
    let transaction = world.sign(key, module, C::NAME, &codec::to_bytes(call), world.until());
    let id = crate::world::id_of(&transaction);
    world.client.submit(&[transaction], SOON).await.unwrap();
    world.client.transaction(id, SOON).await.unwrap()
}

/// As [`call`], which must be carried out.
pub async fn done<C: Call + Encode<()>>(world: &World, key: &SigningKey, module: &str, it: &C) -> view::TransactionView {
    let outcome = call(world, key, module, it).await;
    assert_eq!(outcome.state, view::TransactionState::Finalised, "{} {:?}", C::NAME, outcome.refusal);
    outcome
}

/// Drafts the pack, and gives its manifest's digest.
pub async fn draft(world: &World, version: u32) -> Digest {
    let representative = city::representative(0);
    for (_, _, text) in files() {
        call(world, &representative, "rulepack", &StagePart { bytes: text.into_bytes() }).await;
    }
    done(world, &representative, "rulepack", &Draft { manifest: manifest(version) }).await;
    manifest(version).digest()
}

/// Votes a drafted manifest in, by motion `motion`, and waits until it is in force.
pub async fn enact(world: &World, motion: u32, version: u32) {
    let action = Action::EnactRules(manifest(version).digest());
    done(world, &city::representative(0), "governance", &OpenMotion { action }).await;
    for n in 0..3 {
        done(world, &city::representative(n), "governance", &CastBallot { motion, approve: true }).await;
    }
    while world.memory.height() < 20 * u64::from(version) {
        world.memory.produce();
    }
}

/// Opens a case by the bureau's officer, and gives its number.
pub async fn open(world: &World, x: i64) -> CaseId {
    let income = Value::text(&hex(&sha256(b"salt and income")));
    let values = [("x", Value::Number(x.into())), ("income", income)];
    let wire = |(name, value): (&str, Value)| (name.to_owned(), Wire::of(&value).unwrap());
    let it = Open {
        pack: PackId::parse("permit").unwrap(),
        process: "permit".into(),
        applicant: sha256(b"salt and name"),
        channel: Channel::Online,
        variables: Variables(values.map(wire).into_iter().collect::<BTreeMap<_, _>>()),
        message: None,
        materials: Vec::new(),
    };
    let outcome = done(world, &city::officer(0), "procedure", &it).await;
    let opened = outcome.events.unwrap().into_iter().find(|event| event.name == "case_opened").unwrap();
    CaseId::parse(opened.data["case"].as_str().unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    zhulian_api::HexBytes(bytes.to_vec()).to_string()
}
