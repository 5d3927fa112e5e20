//! What a depositor tells about files: the options of `--details` and their encoding.

use clap::Args;

use crate::failure::Result;

/// What to tell about the files. Nothing personal: it is public for ever.
#[derive(Args, Clone, Debug, Default)]
pub struct Details {}

impl Details {
    /// The CBOR of the details.
    ///
    /// # Errors
    /// When something is not of the published form.
    pub fn encode(&self) -> Result<Vec<u8>> {
        Ok(vec![0xa0])
    }
}
