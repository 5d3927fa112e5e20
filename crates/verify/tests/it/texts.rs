use zhulian_verify::{
    Answer, Language, ReceiptFile, answer_text, check_file, format_time, receipt_json, verified_json, verified_text,
    verify_receipt,
};

use crate::{
    check::cases,
    world::{SMALL, World},
};

#[test]
fn time_is_that_of_china() {
    assert_eq!(format_time(0), "1970-01-01 08:00:00.000");
    assert_eq!(format_time(951_782_399_999), "2000-02-29 07:59:59.999");
    assert_eq!(format_time(951_840_000_000), "2000-03-01 00:00:00.000");
    assert_eq!(format_time(1_795_334_407_700), "2026-11-22 16:00:07.700");
    assert_eq!(format_time(4_107_513_600_000), "2100-03-01 00:00:00.000");
    assert!(format_time(u64::MAX).starts_with("584556019"), "no overflow");
}

#[test]
fn the_first_sentence_holds_the_facts() {
    let world = World::new();
    let answer = check_file(&world.network, &world.receipt(0, &[0, 1, 2]).encode(), SMALL).unwrap();
    let id = zhulian_primitives::EvidenceId::of(&answer.facts().transaction).to_string();
    for (language, word) in [(Language::Zh, "核验通过"), (Language::En, "Verified")] {
        let text = answer_text(&answer, language);
        let first = text.lines().next().unwrap();
        for fact in [word, &id, "77", "2026-11-22 16:00:07.700", "示范市", "Notary Office"] {
            assert!(first.contains(fact), "{fact:?} in {first:?}");
        }
    }
}

#[test]
fn every_answer_has_both_texts() {
    let world = World::new();
    for case in cases() {
        let (_, receipt) = world.receipts().into_iter().find(|(name, _)| *name == case.receipt).unwrap();
        let answer = check_file(&world.network, &receipt.encode(), &case.file()[..]).unwrap();
        let (zh, en) = (answer_text(&answer, Language::Zh), answer_text(&answer, Language::En));
        let (chinese, english) = match answer {
            Answer::Verified(_) => ("核验通过", "Verified"),
            Answer::NotDeposited(_) => ("尚未存证", "Not deposited"),
            Answer::Mismatch(..) => ("与存证内容不一致", "Does not match what was deposited"),
        };
        assert!(zh.starts_with(chinese) && en.starts_with(english), "{zh}\n{en}");
        assert!(en.is_ascii() || en.chars().filter(|c| *c >= '\u{2e80}').all(|c| text_of_names(&world).contains(c)), "{en}");
        assert_eq!(zh.lines().count(), en.lines().count());
    }
}

fn text_of_names(world: &World) -> String {
    world.network.validators.iter().map(|v| v.name.clone()).chain([world.network.name.clone()]).collect()
}

#[test]
fn a_changed_chunk_is_named_in_words() {
    let world = World::new();
    let case = cases().into_iter().find(|case| case.flips == [(1 << 20, 0x40)]).unwrap();
    let (_, receipt) = world.receipts().into_iter().find(|(name, _)| *name == "chunked").unwrap();
    let answer = check_file(&world.network, &receipt.encode(), &case.file()[..]).unwrap();
    assert!(answer_text(&answer, Language::En).contains("chunk 2 (bytes 1048576–2097151)"));
    assert!(answer_text(&answer, Language::Zh).contains("第 2 块（字节 1048576–2097151）"));

    // The last chunk ends with the file, not where a full one would.
    let mut bytes = case.file();
    *bytes.last_mut().unwrap() ^= 1;
    let answer = check_file(&world.network, &receipt.encode(), &bytes[..]).unwrap();
    let end = format!("–{})", bytes.len() - 1);
    assert!(answer_text(&answer, Language::En).contains(&end), "{end}");
}

#[test]
fn a_receipt_alone_has_its_text() {
    let world = World::new();
    for (name, receipt) in world.receipts() {
        let facts = verify_receipt(&world.network, &receipt.encode()).unwrap();
        let (zh, en) = (verified_text(&facts, Language::Zh), verified_text(&facts, Language::En));
        assert!(zh.starts_with("回执有效") && en.starts_with("The receipt is good"), "{name}");
        assert_eq!(en.contains("refused (code evidence 4)"), name == "refused");
    }
}

#[test]
fn the_json_views_hold_every_part() {
    let world = World::new();
    for (_, receipt) in world.receipts() {
        let view = receipt_json(&receipt);
        assert_eq!(view["headers"].as_array().unwrap().len(), receipt.headers.len());
        assert!(!view.to_string().contains("undecodable"), "{view}");
        assert!(view["transaction"]["args"].is_object());
        let facts = verify_receipt(&world.network, &receipt.encode()).unwrap();
        assert_eq!(verified_json(&facts)["transaction"], view["transaction"]["id"]);
    }
    let (_, lone) = world.receipts().pop().unwrap();
    assert_eq!(receipt_json(&lone)["transaction"]["args"], serde_json::json!({ "0": [-1, "珠"] }));
    let broken = ReceiptFile { transaction: vec![1], ..lone };
    assert_eq!(receipt_json(&broken)["transaction"]["undecodable"], "01");
}
