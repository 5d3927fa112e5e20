//! A gateway on a loopback port, over a node in memory.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::net::TcpListener;
use zhulian_api::{Client, Hex32};
use zhulian_crypto::{Algorithm, SigningKey, sha256};
use zhulian_gateway::{Config, Shutdown, Stopper, serve, shutdown};
use zhulian_primitives::{Call, Network, TransactionId, sign};

use crate::{city, memory::Memory};

pub struct World {
    pub base: String,
    pub client: Client,
    pub http: reqwest::Client,
    pub memory: Arc<Memory>,
    pub network: Network,
    stopper: Stopper,
    nonce: AtomicU64,
}

/// The id of a transaction's bytes.
pub fn id_of(transaction: &[u8]) -> Hex32 {
    TransactionId(sha256(transaction)).into()
}

impl World {
    /// A network that makes blocks as transactions come.
    pub async fn start() -> Self {
        Self::with(Config::default(), true).await
    }

    /// One that makes a block only when told.
    pub async fn paused() -> Self {
        Self::with(Config::default(), false).await
    }

    pub async fn with(config: Config, runs: bool) -> Self {
        let (genesis, keys) = city::genesis();
        let network = genesis.network();
        let memory = Arc::new(Memory::new(city::executor(), genesis.state(), network.clone(), keys, city::reader()));
        if runs {
            memory.run();
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stopper, stop): (Stopper, Shutdown) = shutdown();
        tokio::spawn(serve(listener, memory.clone(), config, stop));
        let client = Client::new(&base).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { base, client, http, memory, network, stopper, nonce: AtomicU64::new(0) }
    }

    /// Tells the gateway to stop.
    pub fn stop(&self) {
        self.stopper.stop();
    }

    /// Signs any call.
    pub fn sign(&self, key: &SigningKey, module: &str, call: &str, args: &[u8], valid_until: u64) -> Vec<u8> {
        let nonce = sha256(&self.nonce.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let nonce = std::array::from_fn(|i| nonce[i]);
        sign(&Call { chain: self.network.chain, module, call, args, nonce, valid_until }, key)
    }

    pub fn until(&self) -> u64 {
        self.memory.height() + 500
    }

    /// A deposit of a file with this content, by the court's clerk.
    pub fn deposit(&self, content: &[u8]) -> Vec<u8> {
        self.deposit_until(content, self.until())
    }

    pub fn deposit_until(&self, content: &[u8], valid_until: u64) -> Vec<u8> {
        self.sign(&city::clerk(), "evidence", "deposit", &city::deposit(content), valid_until)
    }

    /// A deposit by a key that nobody has registered.
    pub fn by_stranger(&self, content: &[u8]) -> Vec<u8> {
        let stranger = SigningKey::from_secret(Algorithm::EdDsa, &sha256(b"stranger")).unwrap();
        self.sign(&stranger, "evidence", "deposit", &city::deposit(content), self.until())
    }

    /// The deposit of a batch.
    pub fn deposit_batch(&self, entries: &[Vec<u8>]) -> Vec<u8> {
        self.sign(&city::clerk(), "evidence", "deposit_batch", &city::deposit_batch(entries), self.until())
    }

    /// The clerk's organisation.
    pub fn organisation(&self) -> String {
        city::court()
    }

    /// A state key that has a value once something was deposited.
    pub fn state_key(&self) -> [u8; 32] {
        zhulian_ledger::state_key("transaction/tip", &())
    }
}
