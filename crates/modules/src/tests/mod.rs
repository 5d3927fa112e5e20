//! Tests of what the modules have in common, and the city in which every module's scenarios play.

mod city;
mod documents;
mod drawings;
mod environments;
mod frozen;
mod privacy;
mod transactions;
mod vectors;

pub(crate) use city::{
    City, check, check_in, code, deposit_args, enacted, enacted_by, file, genesis, key, manifest, pack_files, pair, subject,
    validator_key, with_a_second_seat_of_the_court,
};
pub(crate) use drawings::bills;
