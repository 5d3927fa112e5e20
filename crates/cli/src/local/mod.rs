//! A network of this machine: its plan, its files, and the processes that run it.

mod city;
mod config;
mod ended;
mod layout;
mod plan;
mod supervisor;

pub use city::{City, DEMO_KEY, write_documents};
pub use config::read_config;
pub use ended::{disk_full, end_in_plain_words, ended, is_full, last_words};
pub use layout::{
    Layout, NodeFiles, PASSPHRASE_FILE, Secrets, founding_of, node_config, random_passphrase, write_node_key,
    write_private_key,
};
pub use plan::{MemberPlan, OrganisationPlan, Plan};
pub use supervisor::{Child, Event, Supervisor, ended_by_parent};
