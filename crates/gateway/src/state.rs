//! Reading the modules' records out of one finalised state.

use std::collections::BTreeSet;

use zhulian_api::ErrorCode;
use zhulian_ledger::{Key, Loaded, Missing, Value};
use zhulian_primitives::Header;

use crate::{Backend, Failure};

/// Values that one request may read; the longest list of the most detailed records stays far below it.
const KEYS_MAX: usize = 20_000;

/// Runs a module's query over the state. All values of the answer are of the one state whose header comes with it: when the query asks
/// for more, everything is fetched again at once.
pub async fn query<T>(
    backend: &dyn Backend,
    query: impl Fn(&dyn Fn(&Key) -> Option<Value>, &Header) -> T,
) -> Result<(Header, T), Failure> {
    let mut keys = BTreeSet::<Key>::new();
    loop {
        let asked: Vec<Key> = keys.iter().copied().collect();
        let (header, values) = backend.get(asked.clone()).await?;
        let loaded: Loaded = asked.into_iter().zip(values).collect();
        match zhulian_modules::query(&loaded, |source| query(source, &header)) {
            Ok(answer) => return Ok((header, answer)),
            Err(Missing(more)) => keys.extend(more),
        }
        if keys.len() > KEYS_MAX {
            tracing::error!(keys = keys.len(), "a query reads too much");
            return Err(ErrorCode::Internal.into());
        }
    }
}
