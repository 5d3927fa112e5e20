//! Tests of what the modules have in common, and the city in which every module's scenarios play.

mod city;
mod documents;
mod privacy;
mod transactions;
mod vectors;

pub(crate) use city::{City, check, check_in, code, file, key, manifest, pack_files, subject, validator_key};
