//! The few parts of the interface that compute something.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::{StreamExt, stream};

use crate::{
    ErrorCode, Hex32, HexBytes, HexError,
    client::{parse_events, percent},
    view::StatusView,
};

#[test]
fn hexadecimal_is_lower_case_and_of_the_right_length() {
    let text = "00ff".repeat(16);
    let parsed: Hex32 = text.parse().unwrap();
    assert_eq!(parsed.to_string(), text);
    assert_eq!(text.to_uppercase().parse::<Hex32>(), Err(HexError::Digit));
    assert_eq!(text[1..].parse::<Hex32>(), Err(HexError::Length { expected: 64, found: 63 }));
    assert_eq!("é".repeat(32).parse::<Hex32>(), Err(HexError::Digit));
    assert_eq!("abc".parse::<HexBytes>(), Err(HexError::Odd));
    assert_eq!("".parse::<HexBytes>(), Ok(HexBytes::default()));
    for len in [1, 31, 32, 33, 64, 100] {
        let text = "0a".repeat(len);
        assert_eq!(text.parse::<HexBytes>().unwrap().to_string(), text);
    }
    assert_eq!(serde_json::from_str::<Hex32>(&format!("\"{text}\"")).unwrap(), parsed);
    assert!(serde_json::from_str::<Hex32>("\"00\"").is_err());
}

#[test]
fn whatever_is_in_a_path_is_escaped() {
    let mut out = String::new();
    percent(&mut out, "ZL0-1~*$=/?#中");
    assert_eq!(out, "ZL0-1~%2A%24%3D%2F%3F%23%E4%B8%AD");
}

#[tokio::test]
async fn events_are_read_however_their_bytes_are_cut() {
    let text = ": alive\n\nevent: block\ndata: {\"height\":1}\nid: 1:0\n\nevent: evidence\ndata: a\ndata: b\n\n";
    for size in 1..text.len() {
        let chunks: Vec<reqwest::Result<Bytes>> =
            text.as_bytes().chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let events: Vec<_> = parse_events(stream::iter(chunks)).map(Result::unwrap).collect().await;
        assert_eq!(events.len(), 2, "cut at {size}");
        assert_eq!(
            (events[0].event.as_str(), events[0].id.as_str(), events[0].data.as_str()),
            ("block", "1:0", r#"{"height":1}"#)
        );
        // An event without an id keeps the last one, as in browsers.
        assert_eq!((events[1].event.as_str(), events[1].id.as_str(), events[1].data.as_str()), ("evidence", "1:0", "a\nb"));
    }
}

/// What a node of the first days said of itself is all that one has to say.
#[test]
fn the_status_of_an_older_node_is_read() {
    let old = serde_json::json!({
        "version": "0.1.0", "phase": "running", "chain": "00".repeat(32), "height": 7, "indexed_height": 7, "epoch": 0, "view": 9,
        "peers": [{ "name": "n", "public_key": "01".repeat(32), "connected": true, "height": 7, "clock_skew_ms": -3 }],
        "mempool_transactions": 0, "mempool_bytes": 0, "mempool_bytes_max": 1, "transactions": 3, "evidence": 2, "damage": [],
    });
    let status: StatusView = serde_json::from_value(old.clone()).unwrap();
    assert_eq!((status.protocol.in_force, status.protocol.known, status.protocol.next), (1, 1, None));
    assert_eq!((status.protocol.unknown(), status.disk, status.archive), (None, None, None));
    assert!(status.keys_due.is_empty() && status.calendars.is_empty() && status.stall.is_none());
    for field in old.as_object().unwrap().keys() {
        let mut less = old.clone();
        less.as_object_mut().unwrap().remove(field);
        assert!(serde_json::from_value::<StatusView>(less).is_err(), "{field}");
    }
}

#[test]
fn error_codes_are_distinct() {
    let codes: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.entry().code).collect();
    assert_eq!(codes.len(), ErrorCode::ALL.len());
}
