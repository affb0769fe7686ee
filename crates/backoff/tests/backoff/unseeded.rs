//! Randomness without a seed differs from draw to draw and from process to process.
use std::{collections::BTreeSet, process::Command};

use backoff::{SplitMix64, Unseeded};
use rand_core::Rng;

#[test]
fn draws_differ_and_use_all_bits() {
    let draws: BTreeSet<u64> = (0..1000).map(|_| Unseeded.next_u64()).collect();
    assert_eq!(draws.len(), 1000);
    let halves: BTreeSet<u32> = (0..10).map(|_| Unseeded.next_u32()).collect();
    assert_eq!(halves.len(), 10);
    assert_eq!(draws.iter().fold(0, |seen, draw| seen | draw), u64::MAX);
    assert_eq!(draws.iter().fold(0, |seen, draw| seen | !draw), u64::MAX);
    let mut bytes = [0; 64];
    Unseeded.fill_bytes(&mut bytes);
    assert!(bytes.chunks(8).all(|word| word != [0; 8]));
}

#[test]
fn fresh_sequences_differ() {
    let first: BTreeSet<u64> = (0..1000).map(|_| SplitMix64::fresh().next_u64()).collect();
    assert_eq!(first.len(), 1000);
}

/// Prints a draw when asked to by the test below.
#[test]
fn one_draw() {
    println!("draw {}", Unseeded.next_u64());
}

#[test]
fn processes_differ() {
    let draw = || {
        let test = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "unseeded::one_draw", "--nocapture"])
            .output()
            .unwrap();
        let output = String::from_utf8(test.stdout).unwrap();
        output
            .lines()
            .find_map(|line| line.split_once("draw ")?.1.parse::<u64>().ok())
            .unwrap()
    };
    assert_ne!(draw(), draw());
}
