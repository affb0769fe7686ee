//! A small generator whose sequence is published.

use core::convert::Infallible;

use rand_core::{TryRng, utils::fill_bytes_via_next_word};

/// The SplitMix64 generator: 64 bits of state, seedable, its sequence fixed for ever; not for
/// secrets.
///
/// Steele, Lea and Flood, [Fast Splittable Pseudorandom Number Generators] (2014), with the
/// constants of `splitmix64.c` by Vigna. Any other `rand_core` 0.10 generator serves as well.
///
/// ```
/// use backoff::SplitMix64;
/// use rand_core::Rng;
///
/// assert_eq!(SplitMix64::new(1_234_567).next_u64(), 6_457_827_717_110_365_317);
/// ```
///
/// [Fast Splittable Pseudorandom Number Generators]: https://doi.org/10.1145/2714064.2660195
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitMix64(u64);

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl SplitMix64 {
    /// The sequence that belongs to `seed`. Neighbouring seeds give unrelated sequences.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The sequence of a seed drawn from [`Unseeded`](crate::Unseeded).
    #[cfg(feature = "std")]
    #[must_use]
    pub fn fresh() -> Self {
        Self(rand_core::Rng::next_u64(&mut crate::Unseeded))
    }

    /// The sequence without its first `draws` items, in constant time.
    #[must_use]
    pub const fn skip(self, draws: u64) -> Self {
        Self(self.0.wrapping_add(draws.wrapping_mul(GAMMA)))
    }
}

impl TryRng for SplitMix64 {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(GAMMA);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Ok(z ^ (z >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}
