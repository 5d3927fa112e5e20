//! What consensus asks the application.

use std::{future::pending, time::UNIX_EPOCH};

use commonware_consensus::{Application, Handoff, marshal::ancestry::Ancestry};
use commonware_cryptography::Digested;
use commonware_macros::select;
use commonware_runtime::{Clock, Spawner};

use crate::{application::TIME_STEP_MAX, block::Sealed, clock};

/// Passes questions on to the state's actor. That one ends when the node stops, and the library takes an open question for a bug then; but a
/// block may wait, for its time or for a newer build. So what is open when the node stops stays open.
#[derive(Clone)]
pub(crate) struct Questions<A> {
    pub actor: A,
    pub clock_skew_ms: i64,
}

/// A verdict must not depend on this node's clock, so a block from the future is waited for. Here, and not where it is executed: the actor prunes the
/// state when all that it executes has ended, and would wait as long. No valid block needs a longer wait than that of one step.
async fn wait(clock: &impl Clock, block: &Sealed, clock_skew_ms: i64) {
    let now = clock.current();
    let moment = clock::moment(block.header().time, clock_skew_ms).min(now + TIME_STEP_MAX);
    if now < moment {
        let until = moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        tracing::debug!(height = block.header().height, until, "waiting for a block's time");
        clock.sleep_until(moment).await;
    }
}

impl<E, A> Application<E> for Questions<A>
where
    E: Spawner + Clock,
    A: Application<E, Context: Send, Block = Sealed>,
{
    type SigningScheme = A::SigningScheme;
    type Context = A::Context;
    type Block = A::Block;
    type Input = A::Input;

    async fn prepare(
        &mut self,
        context: (E, Self::Context),
        ancestry: impl Ancestry<Self::Block>,
        input: Self::Input,
    ) -> Handoff<Digested<Self::Block>> {
        self.actor.prepare(context, ancestry, input).await
    }

    async fn propose(
        &mut self,
        context: (E, Self::Context),
        ancestry: impl Ancestry<Self::Block>,
        input: Self::Input,
    ) -> Option<Digested<Self::Block>> {
        self.actor.propose(context, ancestry, input).await
    }

    async fn verify(&mut self, context: (E, Self::Context), ancestry: impl Ancestry<Self::Block>) -> bool {
        let stopped = context.0.stopped();
        let clock_skew_ms = self.clock_skew_ms;
        let verdict = async {
            if let Some(block) = ancestry.peek() {
                wait(&context.0, block.inner(), clock_skew_ms).await;
            }
            self.actor.verify(context, ancestry).await
        };
        select! {
            // First: the actor hears the same.
            _ = stopped => {},
            verdict = verdict => return verdict,
        }
        pending().await
    }
}
