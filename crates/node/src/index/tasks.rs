//! Tasks that wait, by the organisations and roles whose duty they are.
//!
//! Most tasks come and go soon after one another. What happened in the blocks that are written together is therefore gathered first,
//! and of a task that went again nothing is written.

use std::collections::BTreeMap;

use zhulian_execution::Role;
use zhulian_primitives::Timestamp;

use super::{
    IndexError, Queries,
    query::name_id,
    sql::{Cell, Sql, cells},
    store::Rows,
};

/// A task's duties: numbers of organisations, and roles.
type Duties = Vec<(i64, i64)>;

/// What became of tasks in the blocks that are being written.
#[derive(Default)]
pub(super) struct Tasks {
    /// How each stands in the end, by case and number; `None` for one that waits no more.
    changed: BTreeMap<(u64, u32), Option<Duties>>,
    /// Cases that were closed.
    closed: Vec<u64>,
}

impl Tasks {
    /// A task waits, and is these organisations' duty.
    pub(super) fn waits(&mut self, case: u64, task: u32, duties: Duties) {
        self.changed.insert((case, task), Some(duties));
    }

    /// A task waits no more.
    pub(super) fn over(&mut self, case: u64, task: u32) {
        self.changed.insert((case, task), None);
    }

    /// A case was closed; nothing of it waits.
    pub(super) fn closed(&mut self, case: u64) {
        self.closed.push(case);
    }

    /// Writes how they stand.
    pub(super) fn write(mut self, sql: &mut dyn Sql) -> Result<(), IndexError> {
        for case in self.closed {
            let of: Vec<_> = self.changed.range((case, 0)..=(case, u32::MAX)).map(|(key, _)| *key).collect();
            of.iter().for_each(|key| drop(self.changed.remove(key)));
            sql.execute("delete from tasks where id = ?1", cells![case as i64])?;
        }
        let mut rows = Rows::new("tasks", 4);
        for ((case, task), duties) in self.changed {
            sql.execute("delete from tasks where id = ?1 and task = ?2", cells![case as i64, i64::from(task)])?;
            for (organisation, role) in duties.into_iter().flatten() {
                rows.add([organisation.into(), (case as i64).into(), i64::from(task).into(), role.into()]);
            }
        }
        rows.write(sql)
    }
}

/// Which tasks are asked for; every given condition holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Unified social credit code of the organisation whose duty they are.
    pub organisation: String,
    /// The role in it.
    pub role: Option<Role>,
    /// The rule pack of their cases.
    pub pack: Option<String>,
    /// Cases late by then are their supervisor's duty, too. The index does not know of extensions.
    pub now: Timestamp,
    /// Only of cases opened before this one, by its place among all.
    pub before: Option<u64>,
}

impl Queries {
    /// Cases in which tasks wait for an organisation, by their places among all, the latest first.
    pub fn cases_with_tasks(&self, filter: &TaskFilter, limit: usize) -> Result<Vec<u64>, IndexError> {
        self.with(|sql| {
            let Some(organisation) = name_id(sql, &filter.organisation)? else { return Ok(Vec::new()) };
            let before = filter.before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
            let mut values: Vec<Cell> = cells![organisation, before].to_vec();
            let mut pack = String::new();
            if let Some(name) = &filter.pack {
                let Some(id) = name_id(sql, name)? else { return Ok(Vec::new()) };
                values.push(id.into());
                pack = format!("and c.pack = ?{}", values.len());
            }
            let role = filter.role.map_or(String::new(), |role| format!("and t.role = {}", role as i64));
            let duties = format!(
                "select distinct t.id from tasks t cross join cases c on c.id = t.id
                 where t.organisation = ?1 and t.id < ?2 {pack} {role} order by t.id desc limit {limit}"
            );
            let mut rows = sql.rows(&duties, &values)?;
            if filter.role.is_none_or(|role| role == Role::Officer) {
                values.push(i64::try_from(filter.now).unwrap_or(i64::MAX).into());
                let late = format!(
                    "select c.id from cases c where c.supervisor = ?1 and c.id < ?2 and c.outcome is null {pack}
                     and c.due > 0 and c.due <= ?{} order by c.id desc limit {limit}",
                    values.len()
                );
                rows.extend(sql.rows(&late, &values)?);
            }
            let mut ids = rows.iter().map(|row| Ok(row.integer(0)? as u64)).collect::<Result<Vec<_>, IndexError>>()?;
            ids.sort_unstable_by(|a, b| b.cmp(a));
            ids.dedup();
            ids.truncate(limit);
            Ok(ids)
        })
    }
}
