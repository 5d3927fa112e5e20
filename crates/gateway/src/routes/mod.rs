//! One file per resource: each handler with its part of the OpenAPI document above it.

pub mod blocks;
pub mod cases;
pub mod catalogue;
pub mod events;
pub mod evidence;
pub mod health;
pub mod node;
pub mod organisations;
pub mod packs;
pub mod page;
pub mod state;
pub mod submit;
pub mod transactions;
