//! Server-sent events: what is finalised, as it is finalised, with resume.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt, stream};
use zhulian_api::ErrorCode;
use zhulian_primitives::{Block, Height, Receipt};

use super::blocks;
use crate::{
    Failure, Phase, Shared,
    metrics::OpenStream,
    request::{self, NUMBER_MAX, Params, number},
    show,
};

/// Where a client is: after the transaction at `index` of `height`; an index of at least the count of transactions is after the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    height: Height,
    index: u64,
}

fn seen(text: &str) -> Result<Seen, String> {
    let expected = || "expected height:index, as an event's id has it".to_owned();
    let (height, index) = text.split_once(':').ok_or_else(expected)?;
    let part = |text| number(text, 0, NUMBER_MAX).map_err(|_| expected());
    Ok(Seen { height: part(height)?, index: part(index)? })
}

fn types(text: &str) -> Result<Vec<String>, String> {
    let form =
        |name: &str| (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let names: Vec<String> = text.split(',').map(str::to_owned).collect();
    if names.len() <= 16 && names.iter().all(|name| form(name)) {
        Ok(names)
    } else {
        Err("expected up to 16 names of modules, or block, with commas between".into())
    }
}

/// What is finalised, as it is finalised
///
/// An event stream. Each event has the name of the module that says so and the id `height:index` of its transaction; after all events
/// of a block comes one named `block` with the id `height:` and the count of its transactions. A client that comes back with
/// `Last-Event-ID` gets everything after it, in order and without gaps. Without it the stream begins with the next block.
#[utoipa::path(get, path = "/v1/events", tag = "transactions", operation_id = "events",
    params(
        ("types" = Option<crate::openapi::EventTypes>, Query, description = "Only these: `block` and names of modules, with commas between"),
        ("Last-Event-ID" = Option<crate::openapi::EventId>, Header, description = "Id of the last event seen"),
    ),
    responses((status = 200, description = "The stream", body = String, content_type = "text/event-stream")))]
pub async fn events(
    State(gateway): State<Shared>,
    params: Params,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let params = params.only(&["types"])?;
    let types = params.get("types", types)?;
    request::accepted(&headers, &["text/event-stream"])?;
    let last = headers.get("last-event-id").map(|value| {
        let text = value.to_str().map_err(|_| "expected height:index".to_owned());
        text.and_then(seen).map_err(|why| Failure::new(ErrorCode::MalformedQuery, format!("Last-Event-ID: {why}")))
    });
    let last = last.transpose()?;
    if let Some(last) = last {
        reachable(&gateway, last).await?;
    }
    let permit = gateway.streams.clone().try_acquire_owned().map_err(|_| Failure::from(ErrorCode::TooBusy))?;

    let held = (permit, OpenStream::new(gateway.clone()));
    let network_gateway = gateway.clone();
    let events = follow(gateway, last).map(move |block| {
        let _ = &held;
        let after = last.filter(|last| last.height == block.header.height).map(|last| last.index);
        stream::iter(render(&network_gateway, &block, after, types.as_deref()).into_iter().map(Ok))
    });
    Ok(Sse::new(events.flatten()).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)).text("alive")))
}

/// Blocks that a client may be ahead of this node, having listened to another one before.
const AHEAD_MAX: u64 = 1_000;

/// Refuses a place from which this node cannot go on without a gap.
async fn reachable(gateway: &Shared, last: Seen) -> Result<(), Failure> {
    let status = gateway.backend.status();
    let starts = |why| Err(Failure::new(ErrorCode::NotReady, why));
    let refuse = |why| Err(Failure::new(ErrorCode::BlockNotFound, why));
    // To begin anew would lose what came meanwhile, so nobody is told to by a node that has yet to learn how far the network is.
    let Some(tip) = status.height else {
        return starts("Last-Event-ID: the node does not know its height yet");
    };
    if last.height > tip.saturating_add(AHEAD_MAX) {
        let highest = status.peers.iter().filter_map(|peer| peer.height).max().unwrap_or(0);
        if status.phase != Phase::Running || last.height <= highest.saturating_add(AHEAD_MAX) {
            return starts("Last-Event-ID: the node has yet to catch up with the others");
        }
        return refuse("Last-Event-ID: far ahead of this network; begin without it");
    }
    let next = last.height.max(1);
    if next <= tip && gateway.backend.block(next).await?.is_none() {
        return refuse("Last-Event-ID: older than the blocks that this node holds; begin without it, or ask another node");
    }
    Ok(())
}

/// Blocks without gaps: those after what was seen, from the archive, then the live ones. Ends when a block cannot be had; the client
/// comes back with the id of its last event.
fn follow(gateway: Shared, last: Option<Seen>) -> impl Stream<Item = Arc<Block>> {
    // Subscribed before the tip is read, so that nothing falls between.
    let live = gateway.backend.subscribe();
    let next = last.map(|last| last.height.max(1));
    let shutdown = gateway.shutdown.clone();
    let blocks = stream::unfold((gateway, live, next, None::<Arc<Block>>), |(gateway, mut live, next, held)| async move {
        let block = match held {
            Some(block) => block,
            None => {
                let tip = gateway.backend.status().height.unwrap_or(0);
                match next.filter(|next| *next <= tip) {
                    Some(height) => gateway.backend.block(height).await.ok()??,
                    None => live.next().await?,
                }
            }
        };
        let height = block.header.height;
        match next {
            // A live block that the archive has given already.
            Some(next) if height < next => Some((None, (gateway, live, Some(next), None))),
            // The live ones are ahead: the archive has what is between.
            Some(next) if height > next => {
                let missing = gateway.backend.block(next).await.ok()??;
                Some((Some(missing), (gateway, live, Some(next + 1), Some(block))))
            }
            _ => Some((Some(block), (gateway, live, Some(height + 1), None))),
        }
    });
    blocks.filter_map(|block| async move { block }).take_until(async move { shutdown.cancelled().await })
}

fn render(gateway: &Shared, block: &Block, after: Option<u64>, types: Option<&[String]>) -> Vec<Event> {
    let wanted = |name: &str| types.is_none_or(|types| types.iter().any(|wanted| wanted == name));
    let height = block.header.height;
    let count = block.header.transaction_count;
    let mut events = Vec::new();
    let modules = types.is_none_or(|types| types.iter().any(|wanted| wanted != "block"));
    let start = after.map_or(0, |after| after.saturating_add(1));
    if modules {
        for (index, receipt) in block.receipts.iter().enumerate().skip(usize::try_from(start).unwrap_or(usize::MAX)) {
            let Ok(receipt) = Receipt::decode(receipt) else { continue };
            let of_interest: Vec<_> = receipt.events.iter().filter(|event| wanted(&event.module)).collect();
            for (number, event) in of_interest.iter().enumerate() {
                let data = serde_json::json!({
                    "height": height,
                    "index": index,
                    "time_ms": block.header.time,
                    "transaction": receipt.transaction.to_string(),
                    "name": event.name,
                    "data": show::data(event),
                });
                let sent = Event::default().event(&event.module).data(data.to_string());
                // Only the last one of a transaction carries the id: who breaks off between two gets all of them again.
                let last = number + 1 == of_interest.len();
                events.push(if last { sent.id(format!("{height}:{index}")) } else { sent });
            }
        }
    }
    if wanted("block") && after.is_none_or(|after| after < count) {
        let row = blocks::row(gateway.backend.status().network(block.header.epoch), &block.header);
        let data = serde_json::to_string(&row).expect("a view serialises");
        events.push(Event::default().event("block").id(format!("{height}:{count}")).data(data));
    }
    events
}
