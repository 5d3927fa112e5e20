//! Signing one call and waiting until it is final: what every command that changes something does.

use minicbor::Encode;
use zhulian_api::{ClientError, Hex32, Wait, view, view::TransactionState};
use zhulian_crypto::SigningKey;
use zhulian_primitives::{Call, Network, VALIDITY_BLOCKS_MAX, codec, sign};

use crate::{
    failure::Result,
    remote::{Remote, beijing, explain, not_final, refused, step},
    report::Report,
    session::Session,
    text::{Text, grouped},
};

/// A call that is final.
pub struct Acted {
    /// The network it was made on.
    pub network: Network,
    /// Its outcome, events included.
    pub view: view::TransactionView,
}

/// Signs `call` of `module` with the session's key, submits it, and waits.
///
/// # Errors
/// When it is refused, or not final in time.
///
/// # Panics
/// When the operating system has no randomness to give.
pub fn act<C: zhulian_execution::Call + Encode<()>>(session: &Session, module: &str, call: &C) -> Result<Acted> {
    act_with(session, None, module, call)
}

/// As [`act`], with a key that is open already.
///
/// # Errors
/// As [`act`].
///
/// # Panics
/// As [`act`].
pub fn act_by<C: zhulian_execution::Call + Encode<()>>(
    session: &Session,
    key: &SigningKey,
    module: &str,
    call: &C,
) -> Result<Acted> {
    act_with(session, Some(key), module, call)
}

fn act_with<C: zhulian_execution::Call + Encode<()>>(
    session: &Session,
    key: Option<&SigningKey>,
    module: &str,
    call: &C,
) -> Result<Acted> {
    let network = session.home()?.network()?;
    let remote = Remote::new(session)?;
    let status = remote.running(&network)?;
    let own;
    let key = match key {
        Some(key) => key,
        None => {
            own = session.signing_key()?.1;
            &own
        }
    };
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).expect("the operating system gives randomness");
    let args = codec::to_bytes(call);
    let valid_until = status.height + VALIDITY_BLOCKS_MAX - 64;
    let transaction = sign(&Call { chain: network.chain, module, call: C::NAME, args: &args, nonce, valid_until }, key);
    let view = wait(&remote, session, &transaction)?;
    // The answer to a submission has no events; the answer to a question has.
    let id = Hex32(zhulian_crypto::sha256(&transaction));
    let view = remote.call(remote.client.transaction(id, Wait::No)).unwrap_or(view);
    Ok(Acted { network, view })
}

fn wait(remote: &Remote, session: &Session, transaction: &[u8]) -> Result<view::TransactionView> {
    let end = std::time::Instant::now() + session.timeout();
    let id = hex::encode(zhulian_crypto::sha256(transaction));
    loop {
        let left = end.saturating_duration_since(std::time::Instant::now());
        let client = remote.client.clone().with_patience(left);
        let sent = remote.run(client.submit(&[transaction], Wait::Finalised(step(left))));
        match sent {
            Ok(mut views) => match views.pop() {
                Some(view) if view.state == TransactionState::Finalised => return Ok(view),
                Some(view) if view.state.is_terminal() => return Err(refused(&view)),
                _ if left.is_zero() => return Err(not_final(&id)),
                _ => {}
            },
            // The same bytes may be sent again at any time, so an outage is simply waited out.
            Err(error) if error.retry() && !left.is_zero() => {}
            // It may have got it, whatever became of the answer.
            Err(error @ ClientError::Silent) => {
                let failure = not_final(&id);
                return Err(match explain(&error, &client).why {
                    Some(why) => failure.why(why),
                    None => failure,
                });
            }
            Err(error) => return Err(explain(&error, &remote.client)),
        }
        std::thread::sleep(std::time::Duration::from_millis(300).min(left));
    }
}

impl Acted {
    /// A report of what was done.
    pub fn report(&self, sentence: Text) -> Report {
        let mut report = Report::new(sentence, serde_json::to_value(&self.view).unwrap_or_default())
            .fact(Text::fixed("网络", "network"), self.network.name.as_str());
        if let Some(time) = self.view.time_ms {
            report = report.fact(Text::fixed("时间", "time"), beijing(time));
        }
        if let Some(height) = self.view.height {
            report = report.detail(Text::fixed("区块高度", "height"), grouped(height));
        }
        report.detail(Text::fixed("交易编号", "transaction"), self.view.id.map(|id| id.to_string()).unwrap_or_default())
    }
}
