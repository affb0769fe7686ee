//! What is said of jobs, as another store or a program's own page reads it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, SystemTime};

use queue::{Claim, DeadFilter, Error, NewJob, OnConflict, Options, Queue};

#[test]
fn a_new_job_tells_what_was_said() {
    let now = SystemTime::now();
    let job = NewJob::new(7).key("k").priority(-1);
    assert_eq!(
        (job.get_payload(), job.get_key(), job.get_priority()),
        (&7, Some("k"), -1)
    );
    assert_eq!(job.get_due(now), now);
    assert_eq!(job.get_on_conflict(), OnConflict::Replace);
    assert!(job.get_merge().is_none());
    let job = job
        .due_in(Duration::from_secs(5))
        .on_conflict(OnConflict::Keep)
        .merge(|held, new| held + new);
    assert_eq!(job.get_due(now), now + Duration::from_secs(5));
    assert_eq!(job.get_on_conflict(), OnConflict::Keep);
    assert_eq!(job.get_merge().unwrap()(1, 2), 3);
    assert_eq!(job.due_at(now).get_due(SystemTime::UNIX_EPOCH), now);
}

#[test]
fn a_filter_tells_what_was_said() {
    let (from, before) = (SystemTime::UNIX_EPOCH, SystemTime::now());
    let filter = DeadFilter::all().error_type("A").error_type("B").key("k");
    let filter = filter.job(7).died_from(from).died_before(before).limit(9);
    assert_eq!(filter.get_error_types(), ["A", "B"]);
    assert_eq!((filter.get_key(), filter.get_job()), (Some("k"), Some(7)));
    assert_eq!(filter.get_died_from(), Some(from));
    assert_eq!(filter.get_died_before(), Some(before));
    assert_eq!(filter.get_limit(), Some(9));
}

fn queue(dir: &tempfile::TempDir) -> Queue<String> {
    Queue::open(dir.path().join("q.db"), Options::consumer()).unwrap()
}

#[test]
fn a_payload_outlives_its_claim_and_its_dead_letter() {
    let dir = tempfile::tempdir().unwrap();
    let mut queue = queue(&dir);
    queue.enqueue_all(["a", "b"].map(str::to_owned)).unwrap();
    let mut claims = queue.claim(2).unwrap();
    queue.dead(claims.pop().unwrap(), "E", "e").unwrap();
    let claim: Claim<String> = claims.pop().unwrap();
    queue.transaction(|tx| tx.done(&claim)).unwrap();
    assert_eq!(claim.into_payload(), "a");
    let letter = queue.dead_letters(&DeadFilter::all()).unwrap().remove(0);
    assert_eq!(letter.clone().into_payload::<String>().unwrap(), "b");
    let error = letter.into_payload::<u32>().unwrap_err();
    assert!(matches!(error, Error::Decode(_)), "{error}");
}

#[cfg(feature = "serde")]
#[test]
fn what_is_reported_can_be_sent_and_read() {
    fn round<T>(value: &T)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let json = serde_json::to_string(value).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
    }
    let dir = tempfile::tempdir().unwrap();
    let mut queue = queue(&dir);
    round(&queue.enqueue("a".to_owned()).unwrap());
    round(&queue.jobs(queue::State::Ready, 9).unwrap());
    let claim = queue.claim(1).unwrap().pop().unwrap();
    let job = claim.job();
    queue.dead(claim, "E", "e").unwrap();
    let all = DeadFilter::all();
    round(&queue.dead_letters(&all).unwrap());
    round(&queue.dead_summary().unwrap());
    round(&queue.history(job).unwrap());
    round(&queue.counts().unwrap());
    round(&queue.redrive(&all).unwrap());
    round(&queue.maintain().unwrap());
}
