//! A network of this machine: its plan, its files, and the processes that run it.

mod layout;
mod plan;
mod supervisor;

pub use layout::{Layout, NodeFiles, Secrets, node_config, write_private_key};
pub use plan::{OrganisationPlan, MemberPlan, Plan};
pub use supervisor::{Child, Event, Supervisor, ended_by_parent};
