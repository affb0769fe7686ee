//! What the worker wants said in Stash's own log, where its users look: left as words in the
//! database, and taken from there by the next hook, once for each change of the state they tell of.

use std::collections::BTreeMap;

use queue::{Queue, Tx};
use rusqlite::{Connection, Result};
use serde::{Deserialize, Serialize};

use crate::core::job::Job;
use crate::core::words::{failed_once, worker as texts};
use crate::storage::meta;
use crate::storage::standstill::SettingsFile;

const KEY: &str = "notices";

/// What a notice is about. Each has one state at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The settings do not say where Plex is.
    Settings,
    /// The names under which Stash keeps the settings.
    Names,
    /// Stash's login.
    Login,
    /// Plex refuses, or has been away for long.
    Plex,
    /// Jobs that failed.
    Failed,
    /// The database was damaged.
    Damage,
    /// What a person does next of a first run. Nothing is wrong.
    NextStep,
}

/// What nobody has told yet, in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Untold {
    /// What is wrong.
    pub trouble: Option<String>,
    /// What is not.
    pub advice: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Notice {
    state: String,
    words: String,
    told: bool,
    /// The settings that it is about, if it is about some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settings: Option<SettingsFile>,
}

type Notices = BTreeMap<Topic, Notice>;

fn read(db: &Connection) -> Result<Notices> {
    // A text nobody can read counts as none: something is told twice.
    Ok(meta::read(db, KEY)?.unwrap_or_default())
}

impl Notice {
    fn new(state: &str, words: String, settings: Option<SettingsFile>) -> Self {
        Self {
            state: state.to_owned(),
            words,
            told: false,
            settings,
        }
    }

    /// Whether nobody was told, and it may still be true.
    fn is_new(&self) -> bool {
        let changed = self
            .settings
            .as_ref()
            .is_some_and(SettingsFile::has_changed);
        !self.told && !changed
    }
}

/// Leaves words about a state, unless it is the one that was told of last. With the settings that
/// they are about, they hold until the settings are others: whoever corrects them is not told of
/// what was, unless it is found again.
///
/// # Errors
/// The database cannot be written.
pub fn leave(
    db: &Connection,
    topic: Topic,
    (state, words): (&str, &str),
    settings: Option<SettingsFile>,
) -> Result<()> {
    let mut notices = read(db)?;
    let is_left =
        |known: &Notice| known.state == state && (known.told || known.settings == settings);
    if notices.get(&topic).is_some_and(is_left) {
        return Ok(());
    }
    notices.insert(topic, Notice::new(state, words.to_owned(), settings));
    meta::write(db, KEY, &notices)
}

/// All is well again: words that nobody has taken are void, and the next trouble is told of
/// whatever it is.
///
/// # Errors
/// The database cannot be written.
pub fn clear(db: &Connection, topic: Topic) -> Result<()> {
    let mut notices = read(db)?;
    match notices.remove(&topic) {
        Some(_) => meta::write(db, KEY, &notices),
        None => Ok(()),
    }
}

/// What is said about this, whether it was told or not.
///
/// # Errors
/// The database cannot be read.
pub fn words(db: &Connection, topic: Topic) -> Result<Option<String>> {
    Ok(read(db)?.remove(&topic).map(|notice| notice.words))
}

/// One more job has failed for good.
///
/// # Errors
/// The database cannot be written.
pub fn failed(tx: &Tx<'_, Job>, job: &str, kind: &str, message: &str) -> Result<()> {
    let mut notices = read(tx.sql())?;
    let words = failed_once(job, kind, message);
    notices.insert(Topic::Failed, Notice::new(job, words, None));
    meta::write(tx.sql(), KEY, &notices)
}

/// Takes what nobody has told yet; one of many processes gets it. Nothing is written where there is
/// nothing.
///
/// # Errors
/// The database cannot be read or written.
pub fn take(queue: &mut Queue<Job>) -> queue::Result<Untold> {
    let text = meta::get_early(queue.sql(), KEY)?.unwrap_or_default();
    let left: Notices = serde_json::from_str(&text).unwrap_or_default();
    if !left.values().any(Notice::is_new) {
        return Ok(Untold::default());
    }
    let failed = queue.counts()?.dead;
    queue.transaction(|tx| {
        let mut notices = read(tx.sql())?;
        let (mut trouble, mut advice) = (Vec::new(), Vec::new());
        let new = notices.iter_mut().filter(|(_, notice)| notice.is_new());
        for (topic, notice) in new {
            notice.told = true;
            match topic {
                Topic::NextStep => advice.push(notice.words.clone()),
                // They were deleted, or are tried again.
                Topic::Failed if failed == 0 => {}
                Topic::Failed => trouble.push(texts::jobs_failed(failed, &notice.words)),
                _ => trouble.push(notice.words.clone()),
            }
        }
        meta::write(tx.sql(), KEY, &notices)?;
        let joined = |words: Vec<String>| (!words.is_empty()).then(|| words.join("\n"));
        Ok(Untold {
            trouble: joined(trouble),
            advice: joined(advice),
        })
    })
}

#[cfg(test)]
mod tests {
    use queue::Options;

    use super::*;
    use crate::storage::ledger;
    use crate::storage::standstill::Stamp;

    fn queue() -> (tempfile::TempDir, Queue<Job>) {
        let dir = tempfile::tempdir().unwrap();
        let mut queue = Queue::open(dir.path().join("q.db"), Options::producer()).unwrap();
        assert_eq!(
            take(&mut queue).unwrap(),
            Untold::default(),
            "before any worker"
        );
        ledger::create(queue.sql()).unwrap();
        (dir, queue)
    }

    #[test]
    fn each_state_is_told_once() {
        let (_dir, mut queue) = queue();
        let said = |queue: &mut Queue<Job>, state: &str| {
            let words = format!("it is {state}");
            leave(queue.sql(), Topic::Plex, (state, &words), None).unwrap();
            take(queue).unwrap().trouble
        };
        assert_eq!(said(&mut queue, "away").as_deref(), Some("it is away"));
        assert_eq!(said(&mut queue, "away"), None);
        assert_eq!(
            said(&mut queue, "refusing").as_deref(),
            Some("it is refusing")
        );
        clear(queue.sql(), Topic::Plex).unwrap();
        assert_eq!(
            said(&mut queue, "refusing").as_deref(),
            Some("it is refusing")
        );
        clear(queue.sql(), Topic::Plex).unwrap();
        leave(queue.sql(), Topic::Plex, ("away", "it is away"), None).unwrap();
        clear(queue.sql(), Topic::Plex).unwrap();
        assert_eq!(take(&mut queue).unwrap(), Untold::default(), "it is over");
    }

    #[test]
    fn the_failed_changes_that_there_are_count_and_not_the_tries() {
        let (_dir, mut queue) = queue();
        let fail = |queue: &mut Queue<Job>, id: u64| {
            let job = Job::Scene { id, force: false };
            let words = job.words();
            queue.enqueue(queue::NewJob::new(job)).unwrap();
            let claim = queue.claim(1).unwrap().pop().unwrap();
            queue
                .transaction(|tx| -> queue::Result<_> {
                    tx.purge(&queue::DeadFilter::all().error_type(format!("{id}")))?;
                    failed(tx, &words, "NotInPlex", "no file")?;
                    tx.dead(&claim, &format!("{id}"), "no file")
                })
                .unwrap();
        };
        fail(&mut queue, 1);
        let told = take(&mut queue).unwrap().trouble.unwrap();
        assert!(
            told.starts_with("An earlier change failed: scene 1 failed: no file. What to do: Scan"),
            "{told}"
        );
        assert_eq!(take(&mut queue).unwrap(), Untold::default());
        fail(&mut queue, 2);
        fail(&mut queue, 1);
        fail(&mut queue, 2);
        let told = take(&mut queue).unwrap().trouble.unwrap();
        assert!(
            told.starts_with("2 changes have failed and were not sent to Plex; View Queue Status lists them. The newest: scene 2 failed: no file. "),
            "{told}"
        );
    }

    /// Whoever corrects a setting is not told that it is wrong.
    #[test]
    fn what_is_about_settings_is_not_told_of_others() {
        let (dir, mut queue) = queue();
        let path = dir.path().join("config.yml");
        std::fs::write(&path, "wrong").unwrap();
        let left = |queue: &Queue<Job>| {
            let (stamp, path) = (Stamp::of(&path), Some(path.clone()));
            let settings = SettingsFile { path, stamp };
            let about = ("wrong", "it is wrong");
            leave(queue.sql(), Topic::Settings, about, Some(settings))
        };
        left(&queue).unwrap();
        std::fs::write(&path, "corrected").unwrap();
        // Each hook looks, and none waits to write where it has nothing to tell.
        let changes = queue.sql().total_changes();
        assert_eq!(take(&mut queue).unwrap(), Untold::default());
        assert_eq!(queue.sql().total_changes(), changes, "nothing is written");
        // It is wrong all the same.
        left(&queue).unwrap();
        let told = take(&mut queue).unwrap().trouble;
        assert_eq!(told.as_deref(), Some("it is wrong"));
        left(&queue).unwrap();
        assert_eq!(take(&mut queue).unwrap(), Untold::default(), "once");
    }

    #[test]
    fn advice_is_no_trouble() {
        let (_dir, mut queue) = queue();
        leave(queue.sql(), Topic::NextStep, ("compare", "compare"), None).unwrap();
        leave(queue.sql(), Topic::Login, ("refused", "login"), None).unwrap();
        let both = Untold {
            trouble: Some("login".to_owned()),
            advice: Some("compare".to_owned()),
        };
        assert_eq!(take(&mut queue).unwrap(), both);
        assert_eq!(take(&mut queue).unwrap(), Untold::default());
    }
}
