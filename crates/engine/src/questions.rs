//! What consensus asks the application.

use std::future::pending;

use commonware_consensus::{Application, Handoff, marshal::ancestry::Ancestry};
use commonware_cryptography::Digested;
use commonware_macros::select;
use commonware_runtime::Spawner;

/// Passes questions on to the state's actor. That one ends when the node stops, and the library takes an open question for a bug then; but a
/// block may wait, for its time or for a newer build. So what is open when the node stops stays open.
#[derive(Clone)]
pub(crate) struct Questions<A>(pub A);

impl<E, A> Application<E> for Questions<A>
where
    E: Spawner,
    A: Application<E, Context: Send>,
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
        self.0.prepare(context, ancestry, input).await
    }

    async fn propose(
        &mut self,
        context: (E, Self::Context),
        ancestry: impl Ancestry<Self::Block>,
        input: Self::Input,
    ) -> Option<Digested<Self::Block>> {
        self.0.propose(context, ancestry, input).await
    }

    async fn verify(&mut self, context: (E, Self::Context), ancestry: impl Ancestry<Self::Block>) -> bool {
        let stopped = context.0.stopped();
        select! {
            // First: the actor hears the same.
            _ = stopped => {},
            verdict = self.0.verify(context, ancestry) => return verdict,
        }
        pending().await
    }
}
