//! Scenarios and properties of the rulepack module.

use std::collections::BTreeMap;

use proptest::prelude::*;
use zhulian_execution::Event;
use zhulian_rules::{Name, Value, gas::Gas};

use super::*;
use crate::tests::{City, check, check_in, manifest, pack_files};

/// Parts of the pack `fees`, version 1, staged.
const STAGED: &str = "
    court.rep stage_part fees 0           -> ok part_staged
    court.rep stage_part fees 1 version=1 -> ok part_staged
";

fn fees() -> PackId {
    PackId::parse("fees").expect("a pack id")
}

/// A city in which version 1 of `fees` is in force from second 20, with a notice of 10 seconds for the next.
fn city_with_fees(more: &str) -> City {
    let mut city = check(STAGED);
    check_in(&mut city, &format!("court.rep draft fees version=1 from=20 notice=10 {more} -> ok drafted"));
    check_in(
        &mut city,
        "
        court.rep  open_motion enact 0 -> ok motion_opened
        court.rep  cast_ballot 0 yes   -> ok ballot_cast
        bank.rep   cast_ballot 0 yes   -> ok ballot_cast
        notary.rep cast_ballot 0 yes   -> ok ballot_cast enacted motion_closed
    ",
    );
    city
}

/// Lets blocks pass until the next one has this second.
fn until(city: &mut City, second: u64) {
    assert!(second > city.chain.height, "second {second} is over");
    city.wait((second - city.chain.height - 1) as u32);
}

fn decided(city: &mut City, line: &str) -> Decided {
    let outcome = city.run(line);
    assert_eq!(outcome.slug, "ok", "{line}");
    Decided::of(&outcome.receipt.events[0]).expect("a decision")
}

#[test]
fn a_version_is_drafted_voted_in_and_decides_from_its_day_on() {
    let mut city = city_with_fees("");
    check_in(&mut city, "bank.off decide fees Fee x=3 -> rulepack.not_in_force");
    until(&mut city, 20);
    let made = decided(&mut city, "bank.off decide fees Fee x=12 subject=case-7 commit=x");
    assert_eq!((made.version, made.in_force, &*made.outcome), (1, Some(1), "7"));
    assert_eq!(made.hits, [Hit { table: 0, rule: 1 }]);
    assert_eq!(made.facts, [Fact { name: "x".into(), value: "12".into(), commitment: Some([9; 32]) }]);
    assert_eq!(made.subject, Some(zhulian_crypto::sha256(b"case-7")));
    assert_eq!(made.digest, city.drafts[0]);
    assert!(made.gas > 0 && made.gas < DECISION_GAS);
}

#[test]
fn a_pack_is_found_with_every_byte_of_its_files() {
    let city = city_with_fees("");
    assert_eq!(packs(&city.source()), [fees()]);
    let view = version(&city.source(), &fees(), 1).expect("version 1");
    let manifest = queries::manifest(&city.source(), &view.version.digest).expect("its manifest");
    assert_eq!(manifest.digest(), view.version.digest);
    let files: Vec<Vec<u8>> = manifest.items.iter().map(|item| file(&city.source(), item).expect("its file")).collect();
    let expected: Vec<Vec<u8>> = pack_files("fees", 1).into_iter().map(|(_, _, text)| text.into_bytes()).collect();
    assert_eq!(files, expected);
    let pack = Pack::compile(manifest, &files).expect("compiles");
    assert_eq!(pack.digest, view.version.digest);
    assert!(Pack::compile(pack.manifest.clone(), &[files[0].clone(), b"Rate = 2".to_vec()]).is_err(), "P1");
}

#[test]
fn only_representatives_draft_and_only_officers_decide() {
    check(
        "
        court.off  stage_part fees 0  -> transaction.not_allowed
        court.off  draft fees from=20 -> transaction.not_allowed
        court.rep  decide fees Fee    -> transaction.not_allowed
        court.off  decide fees Fee    -> rulepack.pack_not_found
    ",
    );
}

#[test]
fn parts_are_staged_once_and_a_draft_needs_them_all() {
    check(
        "
        court.rep  draft fees from=20     -> rulepack.part_missing
        court.rep  stage_part fees 0      -> ok part_staged
        bank.rep   stage_part fees 0      -> rulepack.part_exists
        court.rep  draft fees from=20     -> rulepack.part_missing
        bank.rep   stage_part fees 1      -> ok part_staged
        court.rep  draft fees from=20     -> ok drafted
        bank.rep   draft fees from=20     -> rulepack.draft_exists
        bank.rep   draft fees from=21     -> ok drafted
    ",
    );
}

/// A node whose memory knows a pack from elsewhere must not accept it where the state lacks its files: the chain would fork.
#[test]
fn what_is_compiled_in_memory_does_not_stand_for_what_the_state_lacks() {
    let mut first = check(STAGED);
    check_in(&mut first, "court.rep draft fees from=20 -> ok drafted");
    check(
        "
        court.rep draft fees from=20          -> rulepack.part_missing
        court.rep stage_part fees 0           -> ok part_staged
        court.rep draft fees from=20          -> rulepack.part_missing
        court.rep stage_part fees 1           -> ok part_staged
        court.rep draft fees from=20          -> ok drafted
    ",
    );
}

/// A file of a pack with a number that names somebody, and its parts: the first ends within a character.
fn naming_file(cut: bool) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (.., fees) = pack_files("fees", 1).remove(0);
    let number = "11010519491231002X";
    // Three bytes for each character, and one or two for the last of the first part.
    let fill = PART_BYTES_MAX - fees.len() - "\n<!-- ".len();
    let text = match cut {
        true => format!("{fees}\n<!-- {} {number} -->", "中".repeat(fill / 3 - 4) + &" ".repeat(fill % 3 + 2)),
        false => {
            format!("{fees}\n<!-- {number}{}{} -->", " ".repeat((fill - number.len() + 1) % 3), "中".repeat(2 * fill / 3))
        }
    };
    let parts = text.as_bytes().chunks(PART_BYTES_MAX).map(<[u8]>::to_vec).collect();
    (text.into_bytes(), parts)
}

#[test]
fn a_number_is_found_where_a_part_ends_within_a_character_or_within_it() {
    let staged =
        |city: &mut City, part: &[u8]| city.send("court.rep", "rulepack", "stage_part", &StagePart { bytes: part.to_vec() });
    let drafted = |city: &mut City, bytes: &[u8]| {
        let items = vec![Item::of(ItemKind::Decisions, "fees.dmn", bytes)];
        let manifest = Manifest { items, ..manifest("fees", &BTreeMap::from([("from", "20")])) };
        city.send("court.rep", "rulepack", "draft", &Draft { manifest })
    };
    let (_, parts) = naming_file(false);
    assert!(std::str::from_utf8(&parts[0]).is_err(), "ends within a character");
    assert_eq!(staged(&mut check(""), &parts[0]).slug, "rulepack.personal_data");
    assert_eq!(staged(&mut City::of_protocol_1(), &parts[0]).slug, "ok");

    let (file, parts) = naming_file(true);
    for (mut city, slug) in [(check(""), "rulepack.personal_data"), (City::of_protocol_1(), "ok")] {
        for part in &parts {
            assert_eq!(staged(&mut city, part).slug, "ok");
        }
        assert_eq!(drafted(&mut city, &file).slug, slug);
    }
}

#[test]
fn rules_with_a_gap_or_a_rate_nobody_asks_for_are_not_accepted() {
    let city = check(
        "
        court.rep  stage_part gappy 0            -> ok
        court.rep  draft gappy from=20           -> rulepack.not_accepted
        court.rep  open_motion enact 0           -> rulepack.draft_not_found
        court.rep  stage_part misrated 0         -> ok
        court.rep  stage_part misrated 1         -> ok
        court.rep  draft misrated from=20        -> rulepack.not_accepted
        court.rep  stage_part days 0             -> ok
        court.rep  stage_part days 1             -> ok
        court.rep  draft days from=20            -> ok drafted
        court.rep  draft days from=20 to=20      -> rulepack.malformed_manifest
    ",
    );
    let gappy = pack_files("gappy", 1).remove(0).2;
    let PackError::Decisions(refusals) = Pack::of_model(manifest("gappy", &BTreeMap::new()), &gappy).expect_err("refused")
    else {
        panic!("refused for another reason")
    };
    assert_eq!(refusals[0].en(), "Base (t): no rule covers these facts (x = 10); add a rule or a default output");
    let days = Pack::compile(
        queries::manifest(&city.source(), &city.drafts[2]).expect("drafted"),
        &pack_files("days", 1).into_iter().map(|(_, _, text)| text.into_bytes()).collect::<Vec<_>>(),
    )
    .expect("compiles");
    let new_year = day_of(1_767_225_600_000 - 8 * 3_600_000).expect("a day");
    assert_eq!(new_year.to_string(), "2026-01-01");
    assert_eq!(days.calendar().map(|calendar| calendar.is_working_day(new_year)), Some(Ok(false)));
    assert_eq!((days.documents()[0].code.as_str(), days.documents()[0].source.as_str()), ("id-card", "licence"));
}

#[test]
fn a_decision_is_made_on_exactly_the_facts_it_needs() {
    let mut city = city_with_fees("");
    until(&mut city, 20);
    check_in(
        &mut city,
        "
        bank.off decide fees Base x=1                 -> ok decided
        bank.off decide fees Base                     -> rulepack.fact_missing
        bank.off decide fees Base x=1 y=2             -> rulepack.fact_unneeded
        bank.off decide fees Fee x=1 Rate=0           -> rulepack.fact_is_rate
        bank.off decide fees Base x=null              -> rulepack.no_answer
        bank.off decide fees Base x=\"one\"             -> rulepack.no_answer
        bank.off decide fees Base x=1.0               -> rulepack.malformed_fact
        bank.off decide fees Base x=1+1               -> rulepack.malformed_fact
        bank.off decide fees Base x=13812345678       -> rulepack.personal_data
        bank.off decide fees Share x=3                -> ok decided
        bank.off decide fees Share x=0                -> rulepack.no_answer
        bank.off decide fees Long x=100               -> ok decided
        bank.off decide fees Long x=1000000           -> rulepack.too_costly
        bank.off decide fees Duty x=1                 -> rulepack.decision_not_found
        bank.off decide days Fee x=1                  -> rulepack.pack_not_found
        bank.off decide fees Base x=1 version=2       -> rulepack.version_not_found
    ",
    );
}

/// Drafts and enacts a version by three ballots, with the options given, as motion number `motion` and draft number `draft`.
fn enact_next(city: &mut City, options: &str, draft: usize, motion: u32) -> String {
    // The rates of each version are a part of their own; the decisions are there.
    city.run(&format!("court.rep stage_part fees 1 {options}"));
    let drafted = city.run(&format!("court.rep draft fees {options}"));
    assert_eq!(drafted.slug, "ok");
    let opened = city.run(&format!("court.rep open_motion enact {draft}"));
    if opened.slug != "ok" {
        return opened.slug;
    }
    for who in ["court", "bank", "notary"] {
        assert_eq!(city.run(&format!("{who}.rep cast_ballot {motion} yes")).slug, "ok");
    }
    "ok".into()
}

#[test]
fn a_case_keeps_its_version_unless_the_pack_says_that_the_latest_holds() {
    let mut city = city_with_fees("");
    assert_eq!(enact_next(&mut city, "version=2 from=40 notice=10 keeps=latest", 1, 1), "ok");
    check_in(&mut city, "bank.off decide fees Fee x=1 version=2 -> rulepack.not_in_force");
    until(&mut city, 30);
    assert_eq!(decided(&mut city, "bank.off decide fees Fee x=1").outcome, "5");
    until(&mut city, 40);
    let made = decided(&mut city, "bank.off decide fees Fee x=1");
    assert_eq!((made.version, &*made.outcome), (2, "10"));
    let kept = decided(&mut city, "bank.off decide fees Fee x=1 version=1");
    assert_eq!((kept.version, kept.in_force, &*kept.outcome), (1, Some(2), "5"));
    assert_eq!(enact_next(&mut city, "version=3 from=60 notice=10", 2, 2), "ok");
    until(&mut city, 60);
    check_in(
        &mut city,
        "
        bank.off decide fees Fee x=1 version=1 -> ok decided
        bank.off decide fees Fee x=1 version=2 -> rulepack.superseded
        bank.off decide fees Fee x=1 version=3 -> ok decided
    ",
    );
}

#[test]
fn a_notice_period_is_kept_and_cannot_be_shortened_without_notice() {
    let mut city = city_with_fees("");
    city.wait(10);
    // The motion opens after second 20, so 10 seconds of notice are not over before second 30.
    assert_eq!(enact_next(&mut city, "version=2 from=29 notice=0", 1, 1), "rulepack.notice_too_short");
    assert_eq!(enact_next(&mut city, "version=2 from=45 notice=0", 2, 1), "ok");
    assert_eq!(enact_next(&mut city, "version=3 from=45 notice=0", 3, 2), "rulepack.not_later");
    assert_eq!(enact_next(&mut city, "version=3 from=46 notice=0", 4, 2), "ok");
    assert_eq!(enact_next(&mut city, "version=3 from=70 notice=0", 5, 3), "rulepack.wrong_version");
    assert_eq!(enact_next(&mut city, "version=5 from=70 notice=0", 6, 3), "rulepack.wrong_version");
}

#[test]
fn a_notice_that_runs_out_while_the_vote_is_on_fails_the_motion() {
    let mut city = check(STAGED);
    check_in(
        &mut city,
        "
        court.rep  draft fees from=12 notice=5 -> ok drafted
        court.rep  open_motion enact 0         -> ok motion_opened
        court.rep  cast_ballot 0 yes           -> ok ballot_cast
        bank.rep   cast_ballot 0 yes           -> ok ballot_cast
        wait 4
        notary.rep cast_ballot 0 yes           -> ok ballot_cast motion_closed
        court.off  decide fees Fee x=1         -> rulepack.pack_not_found
    ",
    );
}

#[test]
fn a_version_is_annulled_only_before_it_takes_effect() {
    let mut city = city_with_fees("");
    assert_eq!(enact_next(&mut city, "version=2 from=40 notice=10", 1, 1), "ok");
    check_in(
        &mut city,
        "
        court.rep  open_motion annul fees 3 -> rulepack.version_not_found
        court.rep  open_motion annul fees 2 -> ok motion_opened
        court.rep  cast_ballot 2 yes        -> ok ballot_cast
        bank.rep   cast_ballot 2 yes        -> ok ballot_cast
        notary.rep cast_ballot 2 yes        -> ok ballot_cast annulled motion_closed
        court.rep  open_motion annul fees 2 -> rulepack.already_annulled
        court.rep  open_motion annul fees 1 -> rulepack.already_in_force
    ",
    );
    until(&mut city, 40);
    let made = decided(&mut city, "bank.off decide fees Fee x=1");
    assert_eq!((made.version, &*made.outcome), (1, "5"));
    check_in(&mut city, "bank.off decide fees Fee x=1 version=2 -> rulepack.not_in_force");
    assert_eq!(enact_next(&mut city, "version=3 from=60 notice=10", 2, 3), "ok");
}

#[test]
fn a_version_ends_with_its_own_term() {
    let mut city = city_with_fees("to=30");
    until(&mut city, 29);
    check_in(
        &mut city,
        "
        bank.off decide fees Fee x=1           -> ok decided
        bank.off decide fees Fee x=1           -> rulepack.not_in_force
        bank.off decide fees Fee x=1 version=1 -> ok decided
    ",
    );
    assert_eq!(version_in_force(&city.source(), &fees(), 1_767_225_629_999).map(|view| view.number), Some(1));
    assert_eq!(version_in_force(&city.source(), &fees(), 1_767_225_630_000), None);
}

#[test]
fn a_decision_is_made_again_offline_to_the_same_bytes() {
    let mut city = city_with_fees("");
    until(&mut city, 20);
    for line in ["bank.off decide fees Fee x=12", "bank.off decide fees Share x=3", "bank.off decide fees Base x=-2.5"] {
        let made = decided(&mut city, line);
        let manifest = queries::manifest(&city.source(), &made.digest).expect("its manifest");
        let files: Vec<Vec<u8>> = manifest.items.iter().map(|item| file(&city.source(), item).expect("a file")).collect();
        let pack = Pack::compile(manifest, &files).expect("compiles");
        let facts =
            made.facts.iter().map(|fact| (Name::from(&*fact.name), Value::from_canonical(&fact.value).expect("canonical")));
        let again = pack.decide(&made.decision, &facts.collect::<Vec<_>>()).expect("decides");
        assert_eq!(again.value.to_canonical(&mut Gas::new(DECISION_GAS)).expect("short"), made.outcome);
        assert_eq!(again.gas, made.gas);
        assert!(again.hits.iter().map(|hit| (hit.table, hit.rule)).eq(made.hits.iter().map(|hit| (hit.table, hit.rule))));
    }
}

/// One step of the property: enact with a start and a notice in seconds, annul a version, or wait.
#[derive(Clone, Debug)]
enum Step {
    Enact { ahead: u64, length: Option<u64>, notice: u64 },
    Annul(u32),
    Wait(u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0u64..40, proptest::option::of(1u64..40), 0u64..20).prop_map(|(ahead, length, notice)| Step::Enact {
            ahead,
            length,
            notice
        }),
        (1u32..5).prop_map(Step::Annul),
        (1u32..25).prop_map(Step::Wait),
    ]
}

/// The law in plain numbers: start, end, notice, annulled.
#[derive(Default)]
struct Model(Vec<(u64, Option<u64>, u64, bool)>);

impl Model {
    fn enact(&mut self, from: u64, to: Option<u64>, notice: u64, now: u64) -> bool {
        let standing = self.0.iter().rev().find(|version| !version.3);
        let later = standing.is_none_or(|version| from > version.0);
        let noticed = from >= now + standing.map_or(notice, |version| version.2);
        if later && noticed {
            self.0.push((from, to, notice, false));
        }
        later && noticed
    }

    fn annul(&mut self, number: u32, now: u64) -> bool {
        match self.0.get_mut(number as usize - 1) {
            Some(version) if !version.3 && version.0 > now => {
                version.3 = true;
                true
            }
            _ => false,
        }
    }

    fn in_force(&self, at: u64) -> Option<u32> {
        let (index, version) = self.0.iter().enumerate().filter(|(_, v)| !v.3 && v.0 <= at).max_by_key(|(_, v)| v.0)?;
        version.1.is_none_or(|to| at < to).then_some(index as u32 + 1)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// P3 to P5: after any motions, the version in force at any time is the one of the plain model, and decisions name it.
    #[test]
    fn agrees_with_the_model(steps in prop::collection::vec(any_step(), 1..14)) {
        let (mut city, mut model) = (check(STAGED), Model::default());
        let (mut motions, mut drafts) = (0u32, 0usize);
        let carry = |city: &mut City, motion: u32| {
            for who in ["court", "bank", "notary"] {
                prop_assert_eq!(city.run(&format!("{who}.rep cast_ballot {motion} yes")).slug, "ok");
            }
            Ok(())
        };
        for step in steps {
            match step {
                Step::Wait(blocks) => city.wait(blocks),
                Step::Enact { ahead, length, notice } => {
                    let version = model.0.len() + 1;
                    let from = city.chain.height + ahead;
                    let to = length.map(|length| from + length);
                    let ends = to.map_or(String::new(), |to| format!("to={to}"));
                    city.run(&format!("court.rep stage_part fees 1 version={version}"));
                    // A doubled draft is refused, and the motion enacts the first of them.
                    city.run(&format!("court.rep draft fees version={version} from={from} notice={notice} {ends}"));
                    drafts += 1;
                    let opened = city.run(&format!("court.rep open_motion enact {}", drafts - 1));
                    let at_open = city.chain.height;
                    // The three ballots take three blocks; the last one executes.
                    let possible = Model(model.0.clone()).enact(from, to, notice, at_open);
                    prop_assert_eq!(opened.slug == "ok", possible, "{:?} {}", model.0, from);
                    if possible {
                        carry(&mut city, motions)?;
                        motions += 1;
                        let now = city.chain.height;
                        model.enact(from, to, notice, now);
                    }
                }
                Step::Annul(number) => {
                    let opened = city.run(&format!("court.rep open_motion annul fees {number}"));
                    let mut later = Model(model.0.clone());
                    let possible = later.annul(number, city.chain.height);
                    prop_assert_eq!(opened.slug == "ok", possible, "{:?} {}", model.0, number);
                    if possible {
                        carry(&mut city, motions)?;
                        motions += 1;
                        model.annul(number, city.chain.height);
                    }
                }
            }
            let now = city.chain.height;
            for at in now.saturating_sub(5)..now + 45 {
                let found = version_in_force(&city.source(), &fees(), 1_767_225_600_000 + at * 1_000);
                prop_assert_eq!(found.map(|view| view.number), model.in_force(at), "at {} of {:?}", at, model.0);
            }
            let made = city.run("bank.off decide fees Fee x=1");
            let expected = model.in_force(city.chain.height);
            let version = made.receipt.events.first().and_then(Decided::of).map(|made| made.version);
            prop_assert_eq!(version, expected);
        }
    }
}
