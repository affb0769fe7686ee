//! A careful client for the Plex Media Server HTTP API: sections, items, edits, images, typed errors.
