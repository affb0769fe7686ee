//! Where does randomness come from when the program has no generator?

use core::convert::Infallible;
use std::hash::{BuildHasher, RandomState};

use rand_core::{TryRng, utils::fill_bytes_via_next_word};

/// Randomness for those who have no generator at hand: costs nothing to make, differs in every
/// process and every draw.
///
/// Each number is drawn from the keys the standard library makes for its hash tables; not for
/// secrets.
///
/// ```
/// use backoff::{Policy, Unseeded};
///
/// let policy = Policy::default();
/// assert!(policy.delay(3, &mut Unseeded) != policy.delay(3, &mut Unseeded));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Unseeded;

impl TryRng for Unseeded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.try_next_u64()? as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(RandomState::new().hash_one(()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}
