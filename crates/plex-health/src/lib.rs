//! Deep health probes for Plex Media Server: a verdict with a reason, and a pure probe schedule.
