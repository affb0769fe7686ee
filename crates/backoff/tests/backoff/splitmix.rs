//! The generator against its published sequence.
use backoff::SplitMix64;
use rand_core::Rng;

/// The reference implementation's output for this seed, as printed by many (e.g. Rosetta Code,
/// “Pseudo-random numbers/Splitmix64”).
const PUBLISHED: [u64; 5] = [
    6_457_827_717_110_365_317,
    3_203_168_211_198_807_973,
    9_817_491_932_198_370_423,
    4_593_380_528_125_082_431,
    16_408_922_859_458_223_821,
];

#[test]
fn matches_the_published_sequence() {
    let mut rng = SplitMix64::new(1_234_567);
    assert_eq!(PUBLISHED.map(|_| rng.next_u64()), PUBLISHED);
}

#[test]
fn skipping_is_drawing() {
    for (skipped, published) in (0..).zip(PUBLISHED) {
        assert_eq!(
            SplitMix64::new(1_234_567).skip(skipped).next_u64(),
            published
        );
    }
    // All the way round the period of 2⁶⁴.
    assert_eq!(
        SplitMix64::new(5).skip(u64::MAX).skip(1),
        SplitMix64::new(5)
    );
}

#[test]
fn bytes_and_halves_come_from_the_same_sequence() {
    let mut bytes = [0; 12];
    SplitMix64::new(1_234_567).fill_bytes(&mut bytes);
    assert_eq!(bytes[..8], PUBLISHED[0].to_le_bytes());
    assert_eq!(bytes[8..], PUBLISHED[1].to_le_bytes()[..4]);
    assert_eq!(
        SplitMix64::new(1_234_567).next_u32(),
        (PUBLISHED[0] >> 32) as u32
    );
}
