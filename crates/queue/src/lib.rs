//! A persistent, typed job queue on SQLite for many processes: leases, fencing, newest-wins keys, dead letters.
