//! Files that say what their jobs are, and workers that take some kinds of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::{Duration, SystemTime};

use queue::{Error, NewJob, Options, Queue, Wake};
use serde::{Deserialize, Serialize};

fn open(path: &Path, options: Options) -> queue::Result<Queue<String>> {
    Queue::open(path, options)
}

fn named(name: &str) -> Options {
    Options::producer().format(name)
}

#[test]
fn a_named_file_opens_under_its_name_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.db");
    open(&path, named("mails"))
        .unwrap()
        .enqueue("a".to_owned())
        .unwrap();
    for options in [
        Options::producer(),
        Options::consumer(),
        named("sums"),
        Options::inspector().format("sums"),
    ] {
        let error = open(&path, options).unwrap_err();
        assert!(
            matches!(&error, Error::OtherFormat { found: Some(found), .. } if found == "mails")
        );
        assert!(error.to_string().contains("\"mails\""), "{error}");
    }
    assert_eq!(
        open(&path, Options::inspector())
            .unwrap()
            .counts()
            .unwrap()
            .ready,
        1
    );
    assert_eq!(
        open(&path, named("mails")).unwrap().counts().unwrap().ready,
        1
    );
}

#[test]
fn a_file_without_a_name_opens_without_one_and_takes_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.db");
    open(&path, Options::producer())
        .unwrap()
        .enqueue("a".to_owned())
        .unwrap();
    open(&path, Options::consumer()).unwrap();
    // Who only looks gives no name.
    let error = open(&path, Options::inspector().format("mails")).unwrap_err();
    assert!(
        matches!(error, Error::OtherFormat { found: None, .. }),
        "{error}"
    );
    open(&path, named("mails")).unwrap();
    open(&path, Options::consumer()).unwrap_err();
    open(&path, Options::consumer().format("mails")).unwrap();
}

#[test]
fn of_several_names_given_at_once_one_holds() {
    for _ in 0..30 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("q.db");
        open(&path, Options::producer()).unwrap();
        let at_once = std::sync::Barrier::new(4);
        let name = |name: usize| open(&path, named(&name.to_string())).is_ok();
        let opened: Vec<bool> = std::thread::scope(|scope| {
            let (name, at_once) = (&name, &at_once);
            let thread = |n| {
                scope.spawn(move || {
                    at_once.wait();
                    name(n)
                })
            };
            let threads: Vec<_> = (0..4).map(thread).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(
            opened.iter().filter(|opened| **opened).count(),
            1,
            "{opened:?}"
        );
        assert_eq!((0..4).map(name).collect::<Vec<_>>(), opened);
    }
}

#[test]
fn a_salvaged_file_keeps_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.db");
    let mut queue = open(&path, named("mails")).unwrap();
    queue.enqueue("a".to_owned()).unwrap();
    drop(queue);
    // By one who gives no name.
    let queue = open(&path, Options::inspector()).unwrap();
    let (queue, salvage) = queue.salvage("as an exercise").unwrap();
    assert_eq!(salvage.unwrap().lost, Vec::<String>::new());
    drop(queue);
    assert!(open(&path, Options::consumer()).is_err());
    assert_eq!(
        open(&path, named("mails")).unwrap().counts().unwrap().ready,
        1
    );
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum All {
    Mail { to: String },
    Sum(Vec<u64>),
    Ping,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Mails {
    Mail { to: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Rest {
    Sum(Vec<u64>),
    Ping,
}

fn mail() -> All {
    All::Mail { to: "Ann".into() }
}

#[test]
fn each_worker_takes_its_own_kinds_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.db");
    let mut all: Queue<All> = Queue::open(&path, Options::producer()).unwrap();
    let (first, last) = (|job| NewJob::new(job).priority(-1), NewJob::new);
    all.enqueue_all([
        last(All::Sum(vec![1])),
        last(mail()),
        first(All::Ping),
        first(All::Sum(vec![2])),
        last(All::Ping),
    ])
    .unwrap();
    let mut rest: Queue<Rest> = Queue::open(&path, Options::consumer().kinds_of::<Rest>()).unwrap();
    let mut mails: Queue<Mails> =
        Queue::open(&path, Options::consumer().kinds_of::<Mails>()).unwrap();
    let claims = rest.claim(3).unwrap();
    let order: Vec<&Rest> = claims.iter().map(|claim| claim.payload()).collect();
    assert_eq!(
        order,
        [&Rest::Ping, &Rest::Sum(vec![2]), &Rest::Sum(vec![1])]
    );
    assert_eq!(rest.claim(9).unwrap().len(), 1);
    assert_eq!(
        (mails.claim(9).unwrap().len(), mails.claim(9).unwrap().len()),
        (1, 0)
    );
    assert_eq!(
        all.counts().unwrap().dead,
        0,
        "nothing was taken for undecodable"
    );
}

/// A newer payload under the same key brings its kind along.
#[test]
fn a_replaced_job_is_of_the_newest_kind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.db");
    let mut all: Queue<All> = Queue::open(&path, Options::producer()).unwrap();
    let mut mails: Queue<Mails> =
        Queue::open(&path, Options::consumer().kinds_of::<Mails>()).unwrap();
    all.enqueue(NewJob::new(mail()).key("k")).unwrap();
    all.enqueue(NewJob::new(All::Ping).key("k")).unwrap();
    assert!(mails.claim(9).unwrap().is_empty());
    all.enqueue(NewJob::new(mail()).key("k")).unwrap();
    let claim = mails.claim(9).unwrap().pop().unwrap();
    all.enqueue(NewJob::new(All::Ping).key("k")).unwrap();
    mails.done(claim).unwrap();
    assert!(mails.claim(9).unwrap().is_empty());
    assert_eq!(all.counts().unwrap().ready, 1);
}

/// Or it would wake up all the time.
#[test]
fn jobs_of_other_kinds_do_not_wake_a_worker() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.db");
    let mut all: Queue<All> = Queue::open(&path, Options::producer()).unwrap();
    let mut mails: Queue<Mails> =
        Queue::open(&path, Options::consumer().kinds_of::<Mails>()).unwrap();
    all.enqueue(All::Ping).unwrap();
    all.enqueue(NewJob::new(All::Ping).due_in(Duration::from_millis(1)))
        .unwrap();
    while mails
        .next_due()
        .unwrap()
        .is_some_and(|due| due > SystemTime::now())
    {}
    mails.claim(1).unwrap();
    mails.changed().unwrap();
    assert_eq!(mails.next_due().unwrap(), None);
    assert_eq!(
        mails.wait(Duration::from_millis(1)).unwrap(),
        Wake::TimedOut
    );
}

#[test]
fn a_type_without_kinds_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = open(
        &dir.path().join("q.db"),
        Options::consumer().kinds_of::<String>(),
    )
    .unwrap_err();
    assert!(matches!(error, Error::NoKinds { .. }), "{error}");
}
