use zhulian_verify::{parse_network, print_network};

use crate::world::World;

#[test]
fn print_and_parse_are_inverse() {
    let network = World::new().network;
    assert_eq!(parse_network(&print_network(&network)).unwrap(), network);
}

#[test]
fn deviations_are_refused() {
    let network = World::new().network;
    let text = print_network(&network);
    let key = hex::encode(network.validators[0].public_key);
    let other = hex::encode(network.validators[1].public_key);
    let cases = [
        ("another format", text.replace("network/1", "network/2")),
        ("an unknown field", text.replacen('{', "{\"extra\": 1,", 1)),
        ("an unknown field of a validator", text.replacen("\"public_key\"", "\"extra\": 1, \"public_key\"", 1)),
        ("a doubled field", text.replacen('{', "{\"name\": \"x\",", 1)),
        ("a missing field", text.replacen("\"name\"", "\"nam\"", 1)),
        ("upper-case digits", text.replacen(&key, &key.to_uppercase(), 1)),
        ("a key cut short", text.replacen(&key, &key[2..], 1)),
        ("a key that is no point", text.replacen(&key, &format!("02{}", "0".repeat(62)), 1)),
        ("a validator twice", text.replacen(&key, &other, 1)),
        ("validators out of order", text.replace(&key, "tmp").replace(&other, &key).replace("tmp", &other)),
        ("no validators", format!("{}\"validators\": []}}", &text[..text.find("\"validators\"").unwrap()])),
        ("a number for a name", text.replacen(&format!("\"{}\"", network.name), "1", 1)),
        ("trailing text", format!("{text}x")),
        ("nothing", String::new()),
        ("too much", " ".repeat((1 << 20) + 1)),
    ];
    for (what, text) in cases {
        assert!(parse_network(&text).is_err(), "{what}");
    }
}

/// The cases of `sdk/vectors/identities.json`, which every verifier reads alike. `@` in a text stands for other bytes so and so many times.
#[test]
fn identities_are_read_as_others_read_them() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/vectors/identities.json");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let text = case["text"].as_str().unwrap();
        let bytes = match case["pad"].as_array() {
            None => text.as_bytes().to_vec(),
            Some(pad) => {
                let (before, after) = text.split_once('@').unwrap();
                let pad = hex::decode(pad[0].as_str().unwrap()).unwrap().repeat(pad[1].as_u64().unwrap() as usize);
                [before.as_bytes(), &pad, after.as_bytes()].concat()
            }
        };
        let epoch = String::from_utf8(bytes).ok().and_then(|text| parse_network(&text).ok()).map(|it| it.epoch.to_string());
        if epoch.is_some() != case["accepted"].as_bool().unwrap() || epoch.as_deref() != case["epoch"].as_str() {
            wrong.push((&case["name"], epoch));
        }
    }
    assert!(cases.len() > 70 && wrong.is_empty(), "{wrong:#?}");
}
