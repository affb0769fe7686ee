//! What a person does next, from nothing set to a library that is kept equal.

use serde::Serialize;

use crate::core::settings::{Fault, Settings};

/// A step of the first run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Say where Plex is.
    Address,
    /// Say how Plex lets us in.
    Token,
    /// Turn the sync on.
    Enable,
    /// Allow it to write.
    Write,
    /// Say where Plex sees Stash's files.
    PathMap,
    /// See what would be written.
    Compare,
    /// Have it written.
    SyncAll,
}

impl Step {
    /// Whether it is a value on Stash's page, which is said with what lacks it.
    pub fn is_a_setting(self) -> bool {
        matches!(
            self,
            Self::Address | Self::Token | Self::Enable | Self::Write
        )
    }
}

/// What was done so far, beside the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    /// The paths of both agree as they are: files were found by them, or the task looked and had
    /// nothing to propose.
    pub paths_agree: bool,
    /// A person has seen what would be written.
    pub compared: bool,
    /// A person had the whole library written, or reconciled.
    pub consent: bool,
}

/// All that the next step depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// An address that can be used is set.
    pub address: bool,
    /// A token that can be used is set, or none is needed.
    pub token: bool,
    /// The sync is turned on.
    pub enabled: bool,
    /// It may write to Plex.
    pub writes: bool,
    /// A path map is set.
    pub path_map: bool,
    /// The rest.
    pub done: Done,
}

/// What the settings lack.
pub fn missing(faults: &[Fault]) -> Option<Step> {
    let blocks = |key: &str| faults.iter().any(|fault| fault.blocks && fault.key == key);
    let missing = [(Step::Address, "plex_url"), (Step::Token, "plex_token")];
    let mut missing = missing.into_iter().filter(|(_, key)| blocks(key));
    missing.next().map(|(step, _)| step)
}

impl Known {
    /// With these settings, of which this is wrong.
    pub fn of(settings: &Settings, faults: &[Fault], done: Done) -> Self {
        let missing = missing(faults);
        Self {
            address: missing != Some(Step::Address),
            token: missing.is_none(),
            enabled: settings.enabled,
            writes: settings.toggles.master,
            path_map: !settings.path_map.is_empty(),
            done,
        }
    }

    /// What to do next; nothing where the library is kept equal already.
    pub fn next_step(self) -> Option<Step> {
        let Done {
            paths_agree,
            compared,
            consent,
        } = self.done;
        match self {
            Self { address: false, .. } => Some(Step::Address),
            Self { token: false, .. } => Some(Step::Token),
            _ if consent => None,
            Self { enabled: false, .. } => Some(Step::Enable),
            Self { writes: false, .. } => Some(Step::Write),
            // Who compares knows how many scenes were found.
            _ if compared => Some(Step::SyncAll),
            Self { path_map, .. } if path_map || paths_agree => Some(Step::Compare),
            _ => Some(Step::PathMap),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every state there is: each step is the next one in exactly those states.
    #[test]
    fn the_next_step_of_every_state() {
        let yes_or_no = [false, true];
        let mut seen = 0;
        for state in 0..1 << 8 {
            let [
                address,
                token,
                enabled,
                writes,
                path_map,
                paths_agree,
                compared,
                consent,
            ] = std::array::from_fn(|bit| yes_or_no[state >> bit & 1]);
            let done = Done {
                paths_agree,
                compared,
                consent,
            };
            let known = Known {
                address,
                token,
                enabled,
                writes,
                path_map,
                done,
            };
            let begins = address && token && !consent;
            let goes_on = begins && enabled && writes;
            let paths = path_map || paths_agree;
            let next = [
                (!address, Some(Step::Address)),
                (address && !token, Some(Step::Token)),
                (begins && !enabled, Some(Step::Enable)),
                (begins && enabled && !writes, Some(Step::Write)),
                (goes_on && !paths && !compared, Some(Step::PathMap)),
                (goes_on && paths && !compared, Some(Step::Compare)),
                (goes_on && compared, Some(Step::SyncAll)),
                (address && token && consent, None),
            ];
            let right: Vec<_> = next.iter().filter(|(is_so, _)| *is_so).collect();
            assert_eq!(right, [&(true, known.next_step())], "{known:?}");
            seen += 1;
        }
        assert_eq!(seen, 256);
    }

    /// Whoever does what is said comes to the end, and no step comes twice.
    #[test]
    fn each_step_that_is_done_leads_to_the_next() {
        let mut known = Known {
            address: false,
            token: false,
            enabled: false,
            writes: false,
            path_map: false,
            done: Done::default(),
        };
        let mut steps = Vec::new();
        while let Some(step) = known.next_step() {
            match step {
                Step::Address => known.address = true,
                Step::Token => known.token = true,
                Step::Enable => known.enabled = true,
                Step::Write => known.writes = true,
                Step::PathMap => known.path_map = true,
                Step::Compare => known.done.compared = true,
                Step::SyncAll => known.done.consent = true,
            }
            steps.push(step);
        }
        let all = [
            Step::Address,
            Step::Token,
            Step::Enable,
            Step::Write,
            Step::PathMap,
            Step::Compare,
            Step::SyncAll,
        ];
        assert_eq!(steps, all);
    }

    #[test]
    fn what_the_settings_say() {
        let of = |text: serde_json::Value| {
            let map = text.as_object().cloned().unwrap_or_default();
            let (settings, faults) = Settings::read(&map, |_| None);
            Known::of(&settings, &faults, Done::default()).next_step()
        };
        let url = "http://plex:32400";
        assert_eq!(of(serde_json::json!({})), Some(Step::Address));
        let no_address = serde_json::json!({"plex_url": "nonsense", "plex_token": "0123456789"});
        assert_eq!(of(no_address), Some(Step::Address));
        let (short, token) = ("short", "0123456789");
        for no_token in ["", short] {
            let set = serde_json::json!({"plex_url": url, "plex_token": no_token});
            assert_eq!(of(set), Some(Step::Token));
        }
        let set = serde_json::json!({"plex_url": url, "plex_token": token});
        assert_eq!(of(set), Some(Step::PathMap));
        let map = serde_json::json!({"plex_url": url, "plex_token": token, "path_map": "/a=>/b"});
        assert_eq!(of(map), Some(Step::Compare));
    }
}
