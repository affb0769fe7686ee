//! In-process Plex and Stash servers for tests, examples and benches.
