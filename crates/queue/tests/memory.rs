//! The contract, in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use queue::{InMemory, Options, Queue};

queue_contract::contract!(queue_contract::sqlite::Memory);

#[test]
fn no_file_is_made_and_nothing_is_left() {
    let before = std::fs::read_dir(".").unwrap().count();
    let path = InMemory::new().unwrap();
    let mut queue: Queue<u32> = Queue::open(&path, Options::producer()).unwrap();
    queue.enqueue(1).unwrap();
    drop(queue);
    let mut queue: Queue<u32> = Queue::open(&path, Options::consumer()).unwrap();
    let claim = queue.claim(1).unwrap().pop().unwrap();
    queue.done(claim).unwrap();
    queue.maintain().unwrap();
    assert_eq!(queue.check().unwrap(), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(".").unwrap().count(), before);
    let other: Queue<u32> = Queue::open(InMemory::new().unwrap(), Options::consumer()).unwrap();
    assert_eq!(other.counts().unwrap().done, 0);
}
