//! Organisations, members, keys, motions.

use std::time::Duration;

use zhulian_api::{Query, Wait, view};
use zhulian_modules::governance::{Action, CastBallot, OpenMotion, Parameter, Upgrade};
use zhulian_primitives::{PROTOCOL_NEWEST, codec};

use crate::{city, world::World};

const SOON: Wait = Wait::Finalised(Duration::from_secs(10));

#[tokio::test]
async fn organisations_are_listed_in_parts_and_shown_with_members_and_keys() {
    let world = World::start().await;
    let first = world.client.organisations(Query::new().with("limit", Some(3))).await.unwrap();
    let rest =
        world.client.organisations(Query::new().with("limit", Some(3)).with("cursor", first.next.clone())).await.unwrap();
    let codes: Vec<String> = first.items.iter().chain(&rest.items).map(|row| row.uscc.clone()).collect();
    assert_eq!(codes, city::codes().map(|code| code.to_string()));
    assert!(rest.next.is_none());
    let court = world.client.organisation(&city::court()).await.unwrap();
    assert_eq!((court.name.as_str(), court.class.as_str()), ("市中级人民法院", "judicial"));
    let clerk = court.members.iter().find(|member| member.member == "clerk-01").unwrap();
    assert_eq!((clerk.roles.as_slice(), clerk.kind.as_str(), clerk.keys.len()), (&["officer".to_owned()][..], "person", 1));
    assert_eq!(clerk.keys[0].public_key.0, city::clerk().public_key().as_bytes());
    assert!(clerk.keys[0].active);
    for nobody in ["11330100002489559A", "000000000000000000"] {
        assert_eq!(world.client.organisation(nobody).await.unwrap_err().code(), Some("query.organisation_not_found"));
    }
    assert_eq!(world.client.organisation("court").await.unwrap_err().code(), Some("request.malformed_path"));
}

#[tokio::test]
async fn motions_are_shown_with_their_ballots_until_they_are_carried() {
    let world = World::start().await;
    assert!(world.client.motions(Query::new()).await.unwrap().items.is_empty());
    let open = codec::to_bytes(&OpenMotion { action: Action::Set(Parameter::VoteBlocks, 1_000) });
    for _ in 0..3 {
        let transaction = world.sign(&city::representative(0), "governance", "open_motion", &open, world.until());
        let answer = world.client.submit(&[transaction], SOON).await.unwrap().remove(0);
        assert_eq!(answer.state, view::TransactionState::Finalised, "{:?}", answer.refusal);
    }
    let first = world.client.motions(Query::new().with("limit", Some(2))).await.unwrap();
    let rest = world.client.motions(Query::new().with("limit", Some(2)).with("cursor", first.next.clone())).await.unwrap();
    let numbers: Vec<u32> = first.items.iter().chain(&rest.items).map(|motion| motion.motion).collect();
    assert_eq!((numbers, rest.next), (vec![2, 1, 0], None));
    for n in 0..3 {
        let ballot = codec::to_bytes(&CastBallot { motion: 0, approve: true });
        let transaction = world.sign(&city::representative(n), "governance", "cast_ballot", &ballot, world.until());
        let answer = world.client.submit(&[transaction], SOON).await.unwrap().remove(0);
        assert_eq!(answer.state, view::TransactionState::Finalised, "{:?}", answer.refusal);
    }
    let motion = world.client.motions(Query::new()).await.unwrap().items.remove(2);
    assert_eq!((motion.status.as_str(), motion.action.as_str(), motion.ballots.len()), ("executed", "set_parameter", 3));
    assert_eq!(motion.matter, serde_json::json!({ "parameter": "vote_blocks", "value": 1_000 }));
    let network = world.client.network().await.unwrap();
    let parameter = network.parameters.iter().find(|parameter| parameter.name == "vote_blocks").unwrap();
    assert_eq!(parameter.value, 1_000);
}

#[tokio::test]
async fn a_protocol_that_was_voted_is_in_the_status_and_said_when_the_node_does_not_know_it() {
    let world = World::start().await;
    let sent = async |n: usize, call: &str, args: Vec<u8>| {
        let transaction = world.sign(&city::representative(n), "governance", call, &args, world.until());
        let answer = world.client.submit(&[transaction], SOON).await.unwrap().remove(0);
        assert_eq!(answer.state, view::TransactionState::Finalised, "{:?}", answer.refusal);
    };
    assert_eq!(world.client.network().await.unwrap().protocol_version, PROTOCOL_NEWEST);
    let none = view::ProtocolView { in_force: PROTOCOL_NEWEST, known: PROTOCOL_NEWEST, next: None };
    assert_eq!(world.client.status().await.unwrap().protocol, none);
    let upgrade = Upgrade { protocol: PROTOCOL_NEWEST + 1, height: 12_000 };
    sent(0, "open_motion", codec::to_bytes(&OpenMotion { action: Action::ScheduleProtocol(upgrade) })).await;
    for n in 0..3 {
        sent(n, "cast_ballot", codec::to_bytes(&CastBallot { motion: 0, approve: true })).await;
    }
    let motion = world.client.motions(Query::new()).await.unwrap().items.remove(0);
    assert_eq!((motion.status.as_str(), motion.action.as_str()), ("executed", "schedule_protocol"));
    assert_eq!(motion.matter, serde_json::json!({ "protocol": PROTOCOL_NEWEST + 1, "height": 12_000 }));
    let next = Some(view::UpgradeView { protocol: PROTOCOL_NEWEST + 1, height: 12_000 });
    assert_eq!(world.client.status().await.unwrap().protocol, view::ProtocolView { next, ..none });
    let found = world.client.diagnosis().await.unwrap();
    assert!(found.moving && found.findings.iter().any(|finding| finding.code == "protocol.unknown_soon"), "{found:?}");
    world.client.ready().await.unwrap();
}
