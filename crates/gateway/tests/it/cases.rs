//! Cases and rule packs: found, shown, downloaded.

use zhulian_api::{Hex32, Query};
use zhulian_crypto::sha256;
use zhulian_modules::procedure::{
    CaseId, Claim, Complete, Message, Outcome, Override, OverrideReason, Pause, PauseReason, ProposeOverride,
    SubmitMaterial, Transfer,
};
use zhulian_procedure::Variables;

use crate::{
    city,
    permit::{self, call, done, draft, enact, open},
    world::World,
};

const MODULE: &str = "procedure";

async fn started() -> World {
    let world = World::start().await;
    draft(&world, 1).await;
    enact(&world, 0, 1).await;
    world
}

fn complete(case: CaseId, task: u32) -> Complete {
    Complete { case, task, results: Variables::default(), error: None }
}

async fn accepted(world: &World, x: i64) -> CaseId {
    let (case, officer) = (open(world, x).await, city::officer(0));
    let task = world.client.case(&case.to_string()).await.unwrap().tasks[0].task;
    let name = "deed".to_owned();
    done(world, &officer, MODULE, &SubmitMaterial { case, name, commitment: sha256(b"deed") }).await;
    done(world, &officer, MODULE, &complete(case, task)).await;
    case
}

#[tokio::test]
async fn a_case_is_shown_with_its_tasks_clock_and_materials() {
    let world = started().await;
    let case = open(&world, 3).await;
    let shown = world.client.case(&case.to_string()).await.unwrap();
    assert_eq!((shown.case.pack.as_str(), shown.case.version, shown.case.name.as_str()), ("permit", 1, "许可"));
    assert_eq!((shown.case.state.as_str(), shown.case.channel.as_str(), shown.case.late), ("open", "online", false));
    assert_eq!(shown.case.organisation, city::codes()[0].to_string());
    assert_eq!((shown.clock.promised, shown.clock.limit), (5, 10));
    assert!(shown.case.promised_due_ms < shown.case.limit_due_ms && shown.case.promised_due_ms.is_some());
    assert_eq!(shown.applicant, Hex32(sha256(b"salt and name")));
    assert_eq!(shown.variables["x"], "3");
    let task = &shown.tasks[0];
    assert_eq!(
        (task.element.as_str(), task.name.as_str(), task.materials.as_slice()),
        ("accept", "受理", &["deed".to_owned()][..])
    );
    assert_eq!(
        (task.duties[0].organisation.clone(), task.duties[0].role.as_str()),
        (city::codes()[0].to_string(), "officer")
    );

    let officer = city::officer(0);
    done(&world, &officer, MODULE, &Claim { case, task: task.task }).await;
    done(&world, &officer, MODULE, &Pause { case, reason: PauseReason::Correction }).await;
    let it = ProposeOverride {
        case,
        action: Override::Close(Outcome::Withdrawn),
        reason: OverrideReason::Disaster,
        grounds: [7; 32],
    };
    done(&world, &officer, MODULE, &it).await;
    let shown = world.client.case(&case.to_string()).await.unwrap();
    assert_eq!(shown.tasks[0].claimed.as_ref().unwrap().member, "clerk-01");
    assert_eq!((shown.case.state.as_str(), shown.clock.pauses[0].reason.as_str()), ("paused", "correction"));
    let pending = shown.pending.unwrap();
    assert_eq!((pending.action.as_str(), pending.reason.as_str(), pending.grounds), ("close", "disaster", Hex32([7; 32])));

    for nobody in ["BJ20260101-000999", "BJ20261399-000001", "BJ20260101-000000"] {
        assert_eq!(world.client.case(nobody).await.unwrap_err().code(), Some("query.case_not_found"));
        assert_eq!(world.client.case_history(nobody, Query::new()).await.unwrap_err().code(), Some("query.case_not_found"));
    }
    assert_eq!(world.client.case("42").await.unwrap_err().code(), Some("request.malformed_path"));
}

#[tokio::test]
async fn cases_are_found_by_organisation_procedure_state_and_deadline() {
    let world = started().await;
    let mut all = Vec::new();
    for x in 0..5 {
        all.push(open(&world, x).await.to_string());
    }
    let ended = accepted(&world, 9).await;
    let ids = async |query: Query| {
        let list = world.client.cases(query).await.unwrap();
        (list.items.into_iter().map(|row| row.id).collect::<Vec<_>>(), list.next)
    };
    let tasks = world.client.case(&ended.to_string()).await.unwrap().tasks;
    done(&world, &city::officer(3), MODULE, &complete(ended, tasks[0].task)).await;
    // A representative hears, and does not work on cases otherwise: only the supervisor's override can end this one.
    let proposed = ProposeOverride {
        case: ended,
        action: Override::Close(Outcome::Refused),
        reason: OverrideReason::CourtOrder,
        grounds: [1; 32],
    };
    done(&world, &city::officer(0), MODULE, &proposed).await;
    let confirmed = zhulian_modules::procedure::ConfirmOverride { case: ended, approve: true };
    done(&world, &city::clerk(), MODULE, &confirmed).await;

    let (first, next) = ids(Query::new().with("limit", Some(4))).await;
    let (rest, end) = ids(Query::new().with("limit", Some(4)).with("cursor", next)).await;
    let mut newest: Vec<String> = all.clone();
    newest.push(ended.to_string());
    newest.reverse();
    assert_eq!(([first, rest].concat(), end), (newest, None));
    assert_eq!(ids(Query::new().with("state", Some("closed"))).await.0, [ended.to_string()]);
    assert_eq!(ids(Query::new().with("state", Some("refused"))).await.0, [ended.to_string()]);
    assert!(ids(Query::new().with("state", Some("granted"))).await.0.is_empty());
    assert_eq!(ids(Query::new().with("state", Some("open"))).await.0.len(), 5);
    assert_eq!(ids(Query::new().with("organisation", Some(city::codes()[0])).with("pack", Some("permit"))).await.0.len(), 6);
    assert!(ids(Query::new().with("organisation", Some(city::codes()[3]))).await.0.is_empty());
    assert_eq!(ids(Query::new().with("procedure", Some("permit/permit"))).await.0.len(), 6);
    assert!(ids(Query::new().with("procedure", Some("permit/other"))).await.0.is_empty());
    let due = world.client.case(&all[0]).await.unwrap().case.limit_due_ms.unwrap();
    assert_eq!(ids(Query::new().with("due_before", Some(due + 1))).await.0.len(), 6);
    assert!(ids(Query::new().with("due_before", Some(due))).await.0.is_empty());
    let ended = world.client.case(&ended.to_string()).await.unwrap();
    assert_eq!((ended.case.outcome.as_deref(), ended.case.overrides, ended.tasks.len()), (Some("refused"), 1, 0));
    for (name, value) in [("state", "late"), ("pack", "Permit"), ("cursor", "e00"), ("due_before", "soon"), ("process", "x")]
    {
        let error = world.client.cases(Query::new().with(name, Some(value))).await.unwrap_err();
        assert!(error.code().unwrap().starts_with("request.malformed"), "{name}: {error}");
    }
}

#[tokio::test]
async fn what_happened_to_a_case_is_told_in_order_and_in_parts() {
    let world = started().await;
    let case = accepted(&world, 3).await;
    let whole = world.client.case_history(&case.to_string(), Query::new()).await.unwrap();
    let names: Vec<&str> = whole.items.iter().map(|item| item.event.name.as_str()).collect();
    assert_eq!(names, ["case_opened", "progressed", "material_submitted", "progressed"]);
    let (mut parts, mut cursor) = (Vec::new(), None);
    loop {
        let query = Query::new().with("limit", Some(1)).with("cursor", cursor.take());
        let part = world.client.case_history(&case.to_string(), query).await.unwrap();
        parts.extend(part.items);
        match part.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(parts, whole.items);
}

#[tokio::test]
async fn tasks_are_found_by_whose_duty_they_are() {
    let world = started().await;
    let cases = [accepted(&world, 1).await, accepted(&world, 2).await, open(&world, 3).await];
    let [bureau, court, bank, notary] = city::codes();
    let tasks = async |query: Query| {
        let list = world.client.tasks(query).await.unwrap();
        let shown = list.items.iter().map(|item| format!("{} {}", item.case.id, item.task.element)).collect::<Vec<_>>();
        (shown, list.next)
    };
    let of = |organisation| Query::new().with("organisation", Some(organisation));
    let all: Vec<String> =
        [1, 0].iter().flat_map(|n| ["review", "listen"].map(|element| format!("{} {element}", cases[*n]))).collect();
    assert_eq!(tasks(of(notary)).await, (all.clone(), None));
    assert_eq!(tasks(of(notary).with("role", Some("representative"))).await.0.len(), 2);
    assert_eq!(tasks(of(notary).with("role", Some("judge"))).await.0.len(), 0);
    assert_eq!(tasks(of(bureau).with("pack", Some("permit"))).await.0, [format!("{} accept", cases[2])]);
    assert!(tasks(of(bureau).with("pack", Some("other"))).await.0.is_empty());
    assert!(tasks(of(court)).await.0.is_empty(), "nothing is late");
    // One by one, over cases with several tasks.
    let (mut parts, mut cursor) = (Vec::new(), None);
    loop {
        let (part, next) = tasks(of(notary).with("limit", Some(1)).with("cursor", cursor.take())).await;
        parts.extend(part);
        match next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(parts, all);
    let review = world.client.case(&cases[0].to_string()).await.unwrap().tasks[0].task;
    done(&world, &city::officer(3), MODULE, &Transfer { case: cases[0], task: review, to: bank }).await;
    assert_eq!(tasks(of(bank)).await.0, [format!("{} review", cases[0])]);
    assert_eq!(tasks(of(notary)).await.0.len(), 3);
    let early = Message { case: cases[0], name: "payment".into(), content: Variables::default() };
    let refused = call(&world, &city::officer(0), MODULE, &early).await;
    assert_eq!(refused.refusal.unwrap().code, "procedure.nobody_waits");
    assert_eq!(world.client.tasks(Query::new()).await.unwrap_err().code(), Some("request.malformed_query"));
    let nobody = Query::new().with("organisation", Some("000000000000000000"));
    assert!(world.client.tasks(nobody).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_pack_is_shown_with_versions_votes_files_and_decisions() {
    let world = World::start().await;
    assert!(world.client.packs(Query::new()).await.unwrap().items.is_empty());
    assert_eq!(world.client.pack("permit").await.unwrap_err().code(), Some("query.pack_not_found"));
    let digest = Hex32(draft(&world, 1).await);
    let drafted = world.client.pack("permit").await.unwrap();
    assert_eq!((drafted.versions.len(), drafted.drafts[0].manifest, drafted.drafts[0].motions.len()), (0, digest, 0));
    enact(&world, 0, 1).await;
    let second = Hex32(draft(&world, 2).await);

    let row = world.client.packs(Query::new().with("limit", Some(1))).await.unwrap();
    assert_eq!(
        (row.items[0].pack.as_str(), row.items[0].in_force, row.items[0].latest, row.next),
        ("permit", Some(1), 1, None)
    );
    let pack = world.client.pack("permit").await.unwrap();
    let version = &pack.versions[0];
    assert_eq!((version.version, version.manifest, version.status.as_str()), (1, digest, "in_force"));
    assert_eq!((version.motions[0].status.as_str(), version.motions[0].ballots.len()), ("executed", 3));
    assert_eq!((pack.drafts.len(), pack.drafts[0].manifest, pack.drafts[0].version), (1, second, 2));

    let manifest = world.client.manifest(digest).await.unwrap();
    assert_eq!((manifest.title.as_str(), manifest.statute.as_str()), ("许可", "行政许可法第四十二条"));
    assert_eq!(manifest.files.len(), permit::files().len());
    for (file, (kind, name, text)) in manifest.files.iter().zip(permit::files()) {
        assert_eq!((file.kind.as_str(), file.name.as_str(), file.size), (kind.name(), name, text.len() as u64));
        assert_eq!(world.client.pack_file(digest, file.sha256).await.unwrap(), text.as_bytes());
    }
    let decision = &manifest.decisions[0];
    assert_eq!((decision.decision.as_str(), decision.needs.len(), decision.needs[0].kind.as_str()), ("Fee", 1, "number"));
    assert_eq!((manifest.rates[0].name.as_str(), manifest.rates[0].value.as_str()), ("Rate", "2"));
    assert_eq!(manifest.documents[0].code, "plan");
    assert_eq!(
        (manifest.procedures[0].process.as_str(), manifest.procedures[0].materials.as_slice()),
        ("permit", &["deed".to_owned()][..])
    );
    assert_eq!(world.client.manifest(Hex32([9; 32])).await.unwrap_err().code(), Some("query.manifest_not_found"));
    assert_eq!(world.client.pack_file(digest, Hex32([9; 32])).await.unwrap_err().code(), Some("query.file_not_found"));
    assert_eq!(world.client.pack_file(Hex32([9; 32]), digest).await.unwrap_err().code(), Some("query.manifest_not_found"));
    assert_eq!(world.client.pack("Permit").await.unwrap_err().code(), Some("request.malformed_path"));
    assert_eq!(world.client.pack("other").await.unwrap_err().code(), Some("query.pack_not_found"));

    let cases = [accepted(&world, 3).await, accepted(&world, 4).await];
    let made = world.client.pack_decisions("permit", Query::new()).await.unwrap();
    let outcomes: Vec<&str> = made.items.iter().map(|row| row.outcome.as_str()).collect();
    assert_eq!((outcomes, made.next), (vec!["8", "6"], None));
    assert_eq!(made.items[1].subject, Some(Hex32(sha256(cases[0].to_string().as_bytes()))));
    assert_eq!((made.items[0].version, made.items[0].facts[0].name.as_str()), (1, "x"));
    let first = world.client.pack_decisions("permit", Query::new().with("limit", Some(1))).await.unwrap();
    let rest =
        Query::new().with("cursor", first.next).with("version", Some(1)).with("decision", Some(&made.items[1].decision));
    assert_eq!(world.client.pack_decisions("permit", rest).await.unwrap().items, made.items[1..]);
    for none in [("version", "2"), ("decision", "Base")] {
        assert!(
            world.client.pack_decisions("permit", Query::new().with(none.0, Some(none.1))).await.unwrap().items.is_empty()
        );
    }
}
