//! R: Ed25519 batch verifications per second on one core.

use std::time::{Duration, Instant};

use zhulian_crypto::{Algorithm, Signed, SigningKey, verify_batch};

const BATCH: usize = 1_024;
const MESSAGE_BYTES: usize = 300;

/// Verifications per second of one thread, in batches of 1,024 signatures by 1,024 distinct keys over 300-byte messages.
pub fn per_core(time: Duration) -> anyhow::Result<f64> {
    let message = [7u8; MESSAGE_BYTES];
    let keys: Vec<SigningKey> = (0..BATCH).map(|_| SigningKey::generate(Algorithm::EdDsa)).collect();
    let items: Vec<Signed<'_>> =
        keys.iter().map(|key| Signed { key: key.public_key(), message: &message, signature: key.sign(&message) }).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    Ok(pool.install(|| {
        assert!(verify_batch(&items).iter().all(|valid| *valid), "valid signatures verify");
        let start = Instant::now();
        let mut verified = 0;
        while start.elapsed() < time {
            verified += verify_batch(&items).len();
        }
        verified as f64 / start.elapsed().as_secs_f64()
    }))
}
