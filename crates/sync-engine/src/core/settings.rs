//! What the user set in Stash, checked once and turned into types.
//!
//! Stash stores what it was sent: absent keys, booleans, numbers or text. Every value is read
//! tolerantly, every fault is collected and said in words, and a bad value falls back to its
//! default, so one mistake never stops the rest.

use std::time::Duration;

use serde_json::{Map, Value};

pub mod names;
mod reader;

pub use reader::{Fault, path_map_entry};

use reader::Reader;

use crate::core::words::settings as texts;

/// Where Plex is and how to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlexTarget {
    /// Base address without a trailing slash.
    pub url: String,
    /// The server's token; a server that no account has claimed needs none.
    pub token: Option<plex::Token>,
}

/// Which fields are written to Plex.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the setting `sync_<name>`")]
pub struct Toggles {
    pub master: bool,
    pub studio: bool,
    pub summary: bool,
    pub tagline: bool,
    pub date: bool,
    pub performers: bool,
    pub tags: bool,
    pub poster: bool,
    pub background: bool,
    pub collection: bool,
    pub rating: bool,
    pub content_rating: bool,
}

/// How often a reconciliation is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Interval {
    Never,
    Hourly,
    Daily,
    Weekly,
}

impl Interval {
    const WORDS: [(&str, Self); 4] = [
        ("never", Self::Never),
        ("hourly", Self::Hourly),
        ("daily", Self::Daily),
        ("weekly", Self::Weekly),
    ];

    /// The time between two runs, `None` for never.
    pub fn period(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::Hourly => Some(Duration::from_hours(1)),
            Self::Daily => Some(Duration::from_hours(24)),
            Self::Weekly => Some(Duration::from_hours(7 * 24)),
        }
    }
}

/// Which scenes a bulk task or a reconciliation looks at, by the time they were created or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Scope {
    All,
    Day,
    Week,
}

impl Scope {
    const WORDS: [(&str, Self); 3] = [
        ("all", Self::All),
        ("24h", Self::Day),
        ("7days", Self::Week),
    ];

    /// How far back the scope reaches, `None` for everything.
    pub fn reach(self) -> Option<Duration> {
        match self {
            Self::All => None,
            Self::Day => Some(Duration::from_hours(24)),
            Self::Week => Some(Duration::from_hours(7 * 24)),
        }
    }
}

/// Everything the user can set, valid by construction.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Absent until the address is usable, and the token too if there is one.
    pub plex: Option<PlexTarget>,
    /// Names of the sections to search; empty means all video sections.
    pub libraries: Vec<String>,
    /// Off: hooks still record, nothing is sent.
    pub enabled: bool,
    /// Deliveries of a job that fails for passing reasons before it is a dead letter.
    pub max_retries: u32,
    /// Several candidates are an error (true), or the first one is taken with a warning.
    pub strict_matching: bool,
    /// A field changed by hand in Plex stays.
    pub preserve_plex_edits: bool,
    /// Time to connect to Plex.
    pub connect_timeout: Duration,
    /// Time for one answer of Plex; listings and images get a minute at least.
    pub read_timeout: Duration,
    /// Most tags written to one item.
    pub max_tags: usize,
    /// Which fields are written.
    pub toggles: Toggles,
    /// Ask Plex to scan the folder of a created scene.
    pub trigger_plex_scan: bool,
    /// A scene that is not in Plex is done instead of retried.
    pub skip_not_found: bool,
    /// Write debug lines.
    pub debug_logging: bool,
    /// Replace paths in log lines by stable words.
    pub obfuscate_paths: bool,
    /// How often to reconcile.
    pub reconcile_interval: Interval,
    /// What to look at when reconciling.
    pub reconcile_scope: Scope,
    /// A reconciliation also lists what Plex has, and queues scenes that it does not know.
    pub reconcile_missing: bool,
    /// Pairs of (prefix in Stash, prefix in Plex).
    pub path_map: Vec<(String, String)>,
    /// Accept any certificate of the Plex server, and of no other.
    pub tls_skip_verify: bool,
    /// Reads from Plex that may overlap.
    pub concurrency: usize,
    /// A passed probe may end an open interval early.
    pub fast_recovery: bool,
    /// Recovery ramp, `None` when turned off.
    pub ramp: Option<Ramp>,
    /// Failures in a row that open the circuit.
    pub failure_threshold: u32,
    /// How long the circuit stays open before a trial.
    pub recovery_timeout: Duration,
    /// First wait of the probe schedule and base of its growth.
    pub probe_interval: Duration,
    /// Longest wait between two probes.
    pub probe_cap: Duration,
    /// Base delay after a passing failure.
    pub retry_base: Duration,
    /// Base delay while a scene is not in Plex.
    pub not_found_base: Duration,
    /// How long files of one folder are gathered before Plex scans it.
    pub scan_delay: Duration,
    /// How long a worker with nothing to do stays.
    pub idle_timeout: Duration,
    /// How long a task that starts work shows what becomes of it.
    pub watch_time: Duration,
    /// Failed jobs are deleted after so many days; 0 keeps them.
    pub dead_letter_days: u32,
}

/// The rate of jobs after an outage: from `initial` to `target` per second within `duration`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "described above")]
pub struct Ramp {
    pub initial: f64,
    pub target: f64,
    pub duration: Duration,
}

impl Ramp {
    /// The ramp with the brake everyone gets.
    pub fn curve(self) -> breaker::ramp::Curve {
        breaker::ramp::Curve {
            initial: self.initial,
            target: self.target,
            duration: self.duration,
            ..breaker::ramp::Curve::default()
        }
    }
}

impl Settings {
    /// Stash runs one task at a time, so others wait for one that watches.
    pub const DEFAULT_WATCH: Duration = Duration::from_secs(60);

    /// The ramp of an installation whose settings cannot be read.
    pub(crate) fn default_ramp() -> Option<Ramp> {
        Self::read(&Map::new(), |_| None).0.ramp
    }

    /// Reads the plugin's settings map; `env` supplies `PLEX_URL` and `PLEX_TOKEN` where Stash has
    /// none.
    pub fn read(
        map: &Map<String, Value>,
        env: impl Fn(&str) -> Option<String>,
    ) -> (Self, Vec<Fault>) {
        let mut r = Reader::new(map);
        let fast_recovery = r.bool("fast_recovery", false);
        // A server that is back is to be noticed soon.
        let probe_cap = if fast_recovery { 15.0 } else { 60.0 };
        let watch_time = Self::DEFAULT_WATCH.as_secs_f64();
        let settings = Self {
            plex: r.plex(env),
            libraries: r.list("plex_library"),
            enabled: r.bool("enabled", true),
            max_retries: r.whole("max_retries", 5, 1..=20),
            strict_matching: r.bool("strict_matching", true),
            preserve_plex_edits: r.bool("preserve_plex_edits", false),
            connect_timeout: r.seconds("connect_timeout", 5.0, 1.0..=30.0),
            read_timeout: r.seconds("read_timeout", 30.0, 5.0..=120.0),
            max_tags: r.whole("max_tags", 100, 10..=500) as usize,
            toggles: r.toggles(),
            trigger_plex_scan: r.bool("trigger_plex_scan", false),
            skip_not_found: r.bool("skip_not_found", false),
            debug_logging: r.bool("debug_logging", false),
            obfuscate_paths: r.bool("obfuscate_paths", false),
            reconcile_interval: r.word("reconcile_interval", Interval::Daily, &Interval::WORDS),
            reconcile_scope: r.word("reconcile_scope", Scope::All, &Scope::WORDS),
            reconcile_missing: r.bool("reconcile_missing", true),
            path_map: r.path_map(),
            tls_skip_verify: r.bool("tls_skip_verify", false),
            concurrency: r.whole("concurrency", 4, 1..=8) as usize,
            fast_recovery,
            ramp: r.ramp(),
            failure_threshold: r.whole("failure_threshold", 5, 1..=100),
            recovery_timeout: r.seconds("recovery_timeout", 60.0, 0.1..=3600.0),
            probe_interval: r.seconds("probe_interval", 5.0, 0.1..=600.0),
            probe_cap: r.seconds("probe_cap", probe_cap, 0.1..=3600.0),
            retry_base: r.seconds("retry_base", 5.0, 0.01..=600.0),
            not_found_base: r.seconds("not_found_base", 30.0, 0.01..=3600.0),
            scan_delay: r.seconds("scan_delay", 10.0, 0.0..=600.0),
            idle_timeout: r.seconds("idle_timeout", 600.0, 0.1..=86400.0),
            watch_time: r.seconds("watch_time", watch_time, 0.0..=3600.0),
            dead_letter_days: r.whole("dead_letter_days", 30, 0..=36_500),
        };
        (settings, r.faults)
    }
}

impl Reader<'_> {
    fn plex(&mut self, env: impl Fn(&str) -> Option<String>) -> Option<PlexTarget> {
        let from_env = |name| {
            let text = env(name)?.trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let url = self.text("plex_url").or_else(|| from_env("PLEX_URL"));
        let token = self.text("plex_token").or_else(|| from_env("PLEX_TOKEN"));
        let url = match url.map(|text| plex::address(&text).map_err(texts::no_address)) {
            Some(Ok((url, remark))) => {
                if let Some(remark) = remark {
                    self.fault("plex_url", texts::taken_for(remark, &url));
                }
                Some(url)
            }
            Some(Err(problem)) => self.obstacle("plex_url", problem),
            None => self.obstacle("plex_url", texts::NO_ADDRESS.to_owned()),
        };
        let token = match token {
            None => Some(self.obstacle("plex_token", texts::NO_TOKEN.to_owned())),
            Some(text) => self.token(&text).map(Some),
        };
        Some(PlexTarget {
            url: url?,
            token: token?,
        })
    }

    fn token(&mut self, text: &str) -> Option<plex::Token> {
        match plex::token(text) {
            Err(why) => self.obstacle("plex_token", why.to_string()),
            Ok((token, _)) if token.expose().len() < 10 => {
                self.obstacle("plex_token", texts::SHORT_TOKEN.to_owned())
            }
            Ok((token, remark)) => {
                if let Some(remark) = remark {
                    self.fault("plex_token", texts::taken_for(remark, "the rest"));
                }
                Some(token)
            }
        }
    }

    fn toggles(&mut self) -> Toggles {
        Toggles {
            master: self.bool("sync_master", true),
            studio: self.bool("sync_studio", true),
            summary: self.bool("sync_summary", true),
            tagline: self.bool("sync_tagline", true),
            date: self.bool("sync_date", true),
            performers: self.bool("sync_performers", true),
            tags: self.bool("sync_tags", true),
            poster: self.bool("sync_poster", true),
            background: self.bool("sync_background", true),
            collection: self.bool("sync_collection", true),
            rating: self.bool("sync_rating", true),
            content_rating: self.bool("sync_content_rating", false),
        }
    }

    fn path_map(&mut self) -> Vec<(String, String)> {
        let (key, old) = ("path_map", "plex_unmatched_path_map");
        let pairs = self.pairs(key).into_iter().map(|pair| (key, pair));
        // The earlier plugin's setting has the two sides the other way round.
        let turned = self
            .pairs(old)
            .into_iter()
            .map(|(to, from)| (old, (from, to)));
        let mut kept: Vec<(String, String)> = Vec::new();
        for (key, pair) in pairs.chain(turned) {
            // The first of two entries for one folder counts.
            kept.push(pair);
            let all = kept.iter().map(|(from, to)| (from.as_str(), to.as_str()));
            if scene_sync::PathMap::new(all).is_err()
                && let Some(pair) = kept.pop()
                && !kept.contains(&pair)
            {
                self.fault(key, texts::TWICE.to_owned());
            }
        }
        kept
    }

    fn ramp(&mut self) -> Option<Ramp> {
        let on = self.bool("recovery_ramp", true);
        let initial = self.number("ramp_initial_rate", 5.0, 0.1..=1000.0);
        let target = self.number("ramp_target_rate", 20.0, 0.1..=1000.0);
        let duration = self.seconds("ramp_duration", 300.0, 0.1..=86400.0);
        if target < initial {
            self.fault("ramp_target_rate", texts::falling_ramp(target, initial));
        }
        on.then_some(Ramp {
            initial,
            target: target.max(initial),
            duration,
        })
    }
}

#[cfg(test)]
mod tests;
