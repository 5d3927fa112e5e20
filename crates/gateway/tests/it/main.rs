//! The gateway over real sockets, and a node in memory over the real execution.

mod bad_input;
mod cases;
mod chain;
mod city;
mod events;
mod evidence;
mod limits;
mod memory;
mod openapi;
mod organisations;
mod page;
mod permit;
mod submit;
mod world;
