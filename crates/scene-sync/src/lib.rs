//! Match a Stash scene to a Plex item, merge three ways and plan the smallest edit: pure, no I/O.
