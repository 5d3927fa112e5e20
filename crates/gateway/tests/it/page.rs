//! The web page and the headers of every answer.

use reqwest::{StatusCode, header};

use crate::world::World;

#[tokio::test]
async fn the_page_is_served_with_an_entity_tag() {
    let world = World::start().await;
    let page = world.http.get(&world.base).send().await.unwrap();
    assert_eq!(
        (page.status(), page.headers()[header::CONTENT_TYPE].to_str().unwrap()),
        (StatusCode::OK, "text/html; charset=utf-8")
    );
    let tag = page.headers()[header::ETAG].clone();
    assert!(page.text().await.unwrap().contains("珠联"));
    let again = world.http.get(&world.base).header(header::IF_NONE_MATCH, tag).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(again.bytes().await.unwrap().is_empty());
    let other = world.http.get(&world.base).header(header::IF_NONE_MATCH, "\"0\"").send().await.unwrap();
    assert_eq!(other.status(), StatusCode::OK);
    let by_name = world.http.get(format!("{}/index.html", world.base)).send().await.unwrap();
    assert_eq!(by_name.status(), StatusCode::OK);
}

#[tokio::test]
async fn every_answer_is_hardened_the_refused_ones_too() {
    let world = World::start().await;
    for path in ["/", "/v1/status", "/v1/nothing", "/v1/blocks/x"] {
        let answer = world.http.get(format!("{}{path}", world.base)).send().await.unwrap();
        for name in
            ["content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy", "cache-control"]
        {
            assert!(answer.headers().contains_key(name), "{path} lacks {name}");
        }
    }
}
