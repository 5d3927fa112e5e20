//! A certificate is a list of plain Ed25519 signatures over documented bytes.

use commonware_runtime::{Runner as _, deterministic};
use zhulian_crypto::PublicKey;

use crate::world::{CHAIN, GOOD, World, network, public};

#[test]
fn any_ed25519_library_verifies_a_certificate_over_the_documented_bytes() {
    deterministic::Runner::seeded(1).start(|context| async move {
        let world = World::running(&context, 4, GOOD).await;
        // Views above 127 take two bytes.
        world.reach(140).await;
        for height in [1, 140] {
            let finality = world.nodes[&0].handle.certificate_for(height).await.unwrap();
            let certificate = finality.certificate;
            assert!(certificate.signatures.len() >= 3);

            let mut message = vec![0x30];
            message.extend_from_slice(b"zhulian");
            message.extend_from_slice(&CHAIN);
            message.extend_from_slice(b"_FINALIZE");
            message.push(0);
            for view in [certificate.view, certificate.parent_view] {
                if view < 128 {
                    message.push(view as u8);
                } else {
                    message.extend([(view & 0x7f) as u8 | 0x80, (view >> 7) as u8]);
                }
            }
            message.extend_from_slice(&finality.headers.last().unwrap().digest());
            assert_eq!(message, certificate.message(&CHAIN));

            for (index, signature) in &certificate.signatures {
                let key = PublicKey::EdDsa(public(&world.secrets[*index as usize]));
                assert!(key.verify(&message, signature));
                for at in 0..message.len() {
                    let mut other = message.clone();
                    other[at] ^= 1;
                    assert!(!key.verify(&other, signature));
                }
            }

            let network = network(&world.secrets);
            certificate.verify(&network).unwrap();
            let mut few = certificate.clone();
            few.signatures.truncate(2);
            few.verify(&network).unwrap_err();
            let mut other = certificate.clone();
            other.view += 1;
            other.verify(&network).unwrap_err();
        }
    });
}
