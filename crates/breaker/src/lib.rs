//! A circuit breaker with generation-fenced permits, crash-safe persisted state and an outage log.
