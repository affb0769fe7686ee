//! The Stash plugin that keeps a Plex library's metadata equal to Stash's.
