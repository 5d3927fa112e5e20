//! The web page: files embedded at build time, with entity tags.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use zhulian_api::ErrorCode;

use crate::{Failure, Shared};

/// A file of the page.
pub struct Asset {
    /// Path below the root, without a leading slash.
    pub path: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// An asset with its entity tag.
pub struct Tagged {
    asset: &'static Asset,
    tag: HeaderValue,
}

/// All assets, by path.
pub fn tagged() -> Vec<Tagged> {
    let tag = |asset: &'static Asset| {
        let digest = zhulian_api::HexBytes(zhulian_crypto::sha256(asset.bytes)[..16].to_vec());
        let tag = HeaderValue::from_str(&format!("\"{digest}\"")).expect("hexadecimal in quotes");
        Tagged { asset, tag }
    };
    ASSETS.iter().map(tag).collect()
}

/// The media type by the name's ending.
fn media(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// `/`: the page.
pub async fn index(State(gateway): State<Shared>, headers: HeaderMap) -> Result<Response, Failure> {
    serve(&gateway, "index.html", &headers).ok_or_else(|| ErrorCode::NoSuchPath.into())
}

/// Whatever no other address is: a file of the page, or nothing.
pub async fn file(State(gateway): State<Shared>, request: Request) -> Result<Response, Failure> {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let found = serve(&gateway, &path, request.headers()).ok_or_else(|| Failure::from(ErrorCode::NoSuchPath))?;
    if !matches!(request.method().as_str(), "GET" | "HEAD") {
        return Err(ErrorCode::MethodNotAllowed.into());
    }
    Ok(found)
}

fn serve(gateway: &Shared, path: &str, headers: &HeaderMap) -> Option<Response> {
    let found = gateway.assets.iter().find(|tagged| tagged.asset.path == path)?;
    let same = |value: &HeaderValue| {
        value.to_str().is_ok_and(|tags| tags.split(',').any(|tag| found.tag == tag.trim().trim_start_matches("W/")))
    };
    let mut response = if headers.get_all(header::IF_NONE_MATCH).iter().any(same) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, media(path))], found.asset.bytes).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, found.tag.clone());
    // Asked for again each time, answered 304 while nothing changed: a new build is seen at once.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Some(response)
}
