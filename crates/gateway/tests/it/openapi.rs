//! The published document.

use std::{collections::BTreeSet, fs, path::Path};

use crate::world::World;

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json")
}

#[test]
fn the_committed_document_is_the_generated_one() {
    let generated = zhulian_gateway::openapi::text();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path(), &generated).unwrap();
    }
    let committed = fs::read_to_string(path()).unwrap_or_default();
    assert!(committed == generated, "docs/openapi.json is out of date; run UPDATE_DOCS=1 cargo test -p zhulian-gateway");
}

fn operations() -> BTreeSet<(String, String)> {
    let document: serde_json::Value = serde_json::from_str(&zhulian_gateway::openapi::text()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (method.clone(), path.clone())))
        .collect()
}

/// What the client sends for each operation, and so what the tests exercise. A new endpoint without a line here fails the test below.
const CALLED: &[(&str, &str, &str)] = &[
    ("get", "/v1/network", "network"),
    ("get", "/v1/status", "status"),
    ("get", "/v1/diagnosis", "diagnosis"),
    ("get", "/v1/validators", "validators"),
    ("post", "/v1/transactions", "submit"),
    ("get", "/v1/transactions", "transactions"),
    ("get", "/v1/transactions/{id}", "transaction"),
    ("get", "/v1/transactions/{id}/receipt", "receipt"),
    ("get", "/v1/transactions/{id}/cose-receipt", "cose_receipt"),
    ("get", "/v1/blocks", "blocks"),
    ("get", "/v1/blocks/{height}", "block"),
    ("get", "/v1/organisations", "organisations"),
    ("get", "/v1/organisations/{uscc}", "organisation"),
    ("get", "/v1/motions", "motions"),
    ("get", "/v1/evidence", "evidence_list"),
    ("get", "/v1/evidence/{id}", "evidence"),
    ("get", "/v1/evidence/{id}/history", "evidence_history"),
    ("get", "/v1/evidence/{id}/receipt", "evidence_receipt"),
    ("get", "/v1/evidence/{id}/certificate.pdf", "certificate"),
    ("post", "/v1/evidence/check", "check"),
    ("post", "/v1/evidence/batches/{id}/entries", "upload_entries"),
    ("get", "/v1/cases", "cases"),
    ("get", "/v1/cases/{id}", "case"),
    ("get", "/v1/cases/{id}/history", "case_history"),
    ("get", "/v1/tasks", "tasks"),
    ("get", "/v1/packs", "packs"),
    ("get", "/v1/packs/{pack}", "pack"),
    ("get", "/v1/packs/{pack}/decisions", "pack_decisions"),
    ("get", "/v1/manifests/{digest}", "manifest"),
    ("get", "/v1/manifests/{digest}/files/{sha256}", "pack_file"),
    ("get", "/v1/state/{key}", "state"),
    ("get", "/v1/events", "events"),
    ("get", "/v1/errors", "errors"),
    ("get", "/openapi.json", "openapi"),
    ("get", "/health/live", "live"),
    ("get", "/health/ready", "ready"),
    ("get", "/metrics", "metrics"),
];

#[test]
fn every_endpoint_has_a_client_method_that_the_tests_call() {
    let called: BTreeSet<(String, String)> =
        CALLED.iter().map(|(method, path, _)| (method.to_string(), path.to_string())).collect();
    assert_eq!(operations(), called);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let sources: String =
        fs::read_dir(folder).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    for (method, path, call) in CALLED {
        assert!(sources.contains(&format!("client.{call}(")), "no test calls {method} {path} by client.{call}");
    }
}

#[tokio::test]
async fn every_documented_operation_is_served_and_nothing_else_is() {
    let world = World::start().await;
    assert_eq!(world.client.openapi().await.unwrap()["openapi"], "3.1.0");
    let paths: BTreeSet<String> = operations().into_iter().map(|(_, path)| path).collect();
    for path in paths.iter().filter(|path| *path != "/v1/events") {
        let address = format!(
            "{}{}",
            world.base,
            ["{id}", "{key}", "{uscc}", "{pack}", "{digest}", "{sha256}"]
                .iter()
                .fold(path.replace("{height}", "1"), |path, part| path.replace(part, "x"))
        );
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND"] {
            let documented = operations().contains(&(method.to_lowercase(), path.clone()));
            let answer = world.http.request(method.parse().unwrap(), &address).send().await.unwrap();
            assert_eq!(answer.status() != 405, documented, "{method} {path}: {}", answer.status());
            if !documented {
                assert!(
                    answer.headers()["allow"]
                        .to_str()
                        .unwrap()
                        .contains(if operations().contains(&("get".into(), path.clone())) { "GET" } else { "POST" })
                );
                let problem: zhulian_api::Problem = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
                assert_eq!(problem.code, "request.method_not_allowed");
            }
        }
    }
}

#[tokio::test]
async fn every_error_has_one_code_a_status_and_texts_in_both_languages() {
    let world = World::start().await;
    let errors = world.client.errors().await.unwrap().items;
    let codes: BTreeSet<&str> = errors.iter().map(|error| error.code.as_str()).collect();
    assert_eq!(codes.len(), errors.len(), "a code occurs twice");
    for error in &errors {
        assert!((400..600).contains(&error.status), "{}", error.code);
        let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(han(&error.zh) && han(&error.remedy_zh), "{}: not Chinese", error.code);
        assert!(error.en.is_ascii() | error.en.contains('§') && !error.remedy_en.is_empty(), "{}: not English", error.code);
        let form = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
        assert!(error.code.chars().all(form) && error.code.contains('.'), "{}", error.code);
    }
    assert!(codes.contains("transaction.replayed") && codes.contains("mempool.full"));
}
