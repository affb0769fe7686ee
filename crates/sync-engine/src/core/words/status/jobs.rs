//! The jobs in words: how many there are, and for the newest which, why, and what to do.

use crate::core::status::{About, QueueStatus, Seen, Status, TriedJob, Worker};
use crate::core::words::format::{count, span};
use crate::core::words::status::{Line, info, warn};

/// Changes and tasks that wait, each where there are any.
fn waiting(queue: &QueueStatus, changes: &str, tasks: &str) -> String {
    let of = |n: u64, one: &str| count(n, one, &format!("{one}s"));
    match (queue.waiting.saturating_sub(queue.tasks), queue.tasks) {
        (n, 0) => of(n, "change") + changes,
        (0, n) => of(n, "task") + tasks,
        (n, m) => format!("{} and {}{tasks}", of(n, "change"), of(m, "task")),
    }
}

/// What is kept until sending goes on: what is under way too, which cannot be sent either.
pub fn kept(queue: &QueueStatus) -> String {
    let kept = QueueStatus {
        waiting: queue.live(),
        ..queue.clone()
    };
    let verb = if kept.waiting == 1 { " waits" } else { " wait" };
    waiting(&kept, verb, verb)
}

/// How many jobs wait, run and failed. Without a worker nothing runs: what one had under way when it
/// was killed waits for the next.
pub fn counts(status: &Status) -> Line {
    let now = status.taken_at;
    let mut queue = match &status.queue {
        Seen::Missing => return info("Queue: empty, no change was recorded yet"),
        Seen::Unreadable { why } => return warn(format!("Queue: cannot be read: {why}")),
        Seen::Known(queue) => queue.clone(),
    };
    if status.worker != Worker::Running {
        queue.waiting += std::mem::take(&mut queue.running);
    }
    let next = match queue.next_due {
        Some(due) if due > now && queue.ready == 0 => {
            format!(" (next attempt in {})", span((due - now).ceil()))
        }
        _ => String::new(),
    };
    info(format!(
        "Queue: {}{next}, {} running, {} failed",
        waiting(&queue, " waiting", " waiting"),
        queue.running,
        queue.failed
    ))
}

/// What Health Check says of jobs that do not go as they should.
pub fn trouble(queue: &Seen<QueueStatus>, held: bool, now: f64) -> Vec<Line> {
    let Seen::Known(queue) = queue else {
        return Vec::new();
    };
    let failed = (queue.failed > 0).then(|| {
        let newest = queue.failed_jobs.first();
        let newest = newest.map_or_else(String::new, |job| {
            format!(" The newest: {}", sentence(&job.about, &job.reason))
        });
        warn(format!(
            "{}; View Queue Status says which, why, and what to do.{newest}",
            count(queue.failed, "change failed", "changes failed")
        ))
    });
    failed.into_iter().chain(tried(queue, held, now)).collect()
}

/// The jobs that were tried and wait for what is their own. Those that wait for Plex wait for what
/// the circuit says.
fn own(queue: &QueueStatus, held: bool) -> impl Iterator<Item = &TriedJob> {
    let tried = queue.tried_jobs.iter();
    tried.filter(move |job| !held || job.attempts > 0)
}

/// The first of the jobs that were tried and wait.
pub fn tried(queue: &QueueStatus, held: bool, now: f64) -> Option<Line> {
    let job = own(queue, held).next()?;
    let more = match own(queue, held).count() - 1 {
        0 => String::new(),
        n => format!(
            ". {}; View Queue Status lists all",
            count(n as u64, "more waits", "more wait")
        ),
    };
    let Line { level, text } = waits(job, held, now);
    let text = format!("{text}{more}");
    Some(Line { level, text })
}

/// What View Queue Status says of each job that failed or was tried.
pub fn listed(queue: &QueueStatus, held: bool, now: f64) -> Vec<Line> {
    // Of some in a row with the same advice, the last one gives it.
    let next = queue.failed_jobs.iter().skip(1).map(|job| job.advice);
    let next = next.map(Some).chain([None]);
    let failed = queue.failed_jobs.iter().zip(next).map(|(job, next)| {
        let about = sentence(&job.about, &job.reason);
        let ago = span(now - job.failed_at);
        warn(match next == Some(job.advice) {
            true => format!("Failed {ago} ago: {about}"),
            false => format!("Failed {ago} ago: {about}. What to do: {}", job.advice),
        })
    });
    let mut lines: Vec<_> = failed.collect();
    let more = queue.failed.saturating_sub(lines.len() as u64);
    lines.extend((more > 0).then(|| {
        warn(format!(
            "{} earlier and not listed here: the task Retry Failed Changes tries all of them again",
            count(more, "more change failed", "more changes failed")
        ))
    }));
    lines.extend(own(queue, held).map(|job| waits(job, held, now)));
    lines.extend(looks(queue));
    lines
}

/// What waits though it is written.
pub fn looks(queue: &QueueStatus) -> Option<Line> {
    let looks = count(queue.looks, "scene is", "scenes are");
    (queue.looks > 0).then(|| {
        info(format!(
            "Of what waits, {looks} written already and only checked again, because Stash or Plex did not answer a request. There \
             is nothing to do"
        ))
    })
}

fn waits(job: &TriedJob, held: bool, now: f64) -> Line {
    let attempts = match job.attempts {
        0 => String::new(),
        n => format!(" after {}", count(n.into(), "attempt", "attempts")),
    };
    let next = match job.due > now {
        true => format!("in {}", span((job.due - now).ceil())),
        false if held => "once sending to Plex goes on".to_owned(),
        false => "as soon as its turn comes".to_owned(),
    };
    let advice = job.advice.map(|advice| format!(". What to do: {advice}"));
    warn(format!(
        "Waiting{attempts}, next attempt {next}: {}{}",
        sentence(&job.about, &job.reason),
        advice.unwrap_or_default()
    ))
}

/// Which, where, and what happened.
fn sentence(about: &About, reason: &str) -> String {
    let title = about.title.iter().map(|title| format!(" \"{title}\""));
    let path = about.path.iter().filter(|path| !reason.contains(*path));
    let path = path.map(|path| format!(" ({path}, as Plex should see it)"));
    let rest: String = title.chain(path).collect();
    format!("{}{rest}: {reason}", about.job)
}
