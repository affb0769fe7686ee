//! What a setting is called: on Stash's settings page, and in its file. Texts give both, since a
//! person sees only the first and a script only the second.

/// Every setting by its key, with its name on the page; a name is empty where the page has no such
/// row.
pub const ALL: [(&str, &str); 48] = [
    ("plex_url", "Plex address"),
    ("plex_token", "Plex token"),
    ("plex_library", "Plex libraries"),
    ("path_map", "Path map"),
    ("enabled", "Sync enabled"),
    ("strict_matching", "Strict matching"),
    ("preserve_plex_edits", "Keep edits made in Plex"),
    ("skip_not_found", "Skip scenes that are not in Plex"),
    ("trigger_plex_scan", "Ask Plex to scan new files"),
    ("tls_skip_verify", "Accept any certificate of Plex"),
    ("reconcile_interval", "Automatic reconciliation"),
    ("reconcile_scope", "Reconcile which scenes"),
    ("sync_master", "Write to Plex (master switch)"),
    ("sync_studio", "Write: studio"),
    ("sync_summary", "Write: details as summary"),
    ("sync_tagline", "Write: code as tagline"),
    ("sync_date", "Write: date"),
    ("sync_performers", "Write: performers as actors"),
    ("sync_tags", "Write: tags as genres"),
    ("sync_poster", "Write: cover as poster"),
    ("sync_background", "Write: cover as background"),
    ("sync_collection", "Write: studio as collection"),
    ("sync_rating", "Write: rating"),
    ("debug_logging", "Debug log"),
    ("obfuscate_paths", "Hide paths in logs"),
    ("max_retries", ""),
    ("max_tags", ""),
    ("connect_timeout", ""),
    ("read_timeout", ""),
    ("concurrency", ""),
    ("fast_recovery", ""),
    ("recovery_ramp", ""),
    ("reconcile_missing", ""),
    ("sync_content_rating", ""),
    ("plex_unmatched_path_map", ""),
    ("failure_threshold", ""),
    ("recovery_timeout", ""),
    ("probe_interval", ""),
    ("probe_cap", ""),
    ("retry_base", ""),
    ("not_found_base", ""),
    ("scan_delay", ""),
    ("ramp_initial_rate", ""),
    ("ramp_target_rate", ""),
    ("ramp_duration", ""),
    ("idle_timeout", ""),
    ("watch_time", ""),
    ("dead_letter_days", ""),
];

/// Whether Stash's settings page has a row for it.
pub fn is_on_page(key: &str) -> bool {
    ALL.iter()
        .any(|(known, name)| *known == key && !name.is_empty())
}

/// What texts call the setting with this key.
///
/// ```
/// use sync_engine::core::settings::names;
/// assert_eq!(names::of("path_map"), "Path map (path_map)");
/// assert_eq!(names::of("idle_timeout"), "idle_timeout");
/// ```
pub fn of(key: &str) -> String {
    match ALL.iter().find(|(known, _)| *known == key) {
        Some((_, name)) if !name.is_empty() => format!("{name} ({key})"),
        _ => key.to_owned(),
    }
}
