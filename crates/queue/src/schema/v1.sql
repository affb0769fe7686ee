-- Every process parses all of this each time it opens the file: no DEFAULT, no table, no index that is not needed.

-- Live jobs: 0 waiting (not due), 1 ready, 2 running. At most one live job has a given key, so no key runs twice at once.
CREATE TABLE queue_job (
  id         INTEGER PRIMARY KEY,
  state      INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
  priority   INTEGER NOT NULL,
  due        INTEGER NOT NULL,
  key        TEXT,
  claim      INTEGER,
  lease_until INTEGER,
  lease      INTEGER,
  enqueued   INTEGER NOT NULL,
  attempts   INTEGER NOT NULL,
  deferred   INTEGER NOT NULL,
  lost       INTEGER NOT NULL,
  superseded INTEGER NOT NULL,
  has_history INTEGER NOT NULL,
  next_due      INTEGER,
  next_priority INTEGER,
  next_enqueued INTEGER,
  next_payload  TEXT,
  payload    TEXT NOT NULL,
  CHECK ((state = 2) = (claim IS NOT NULL)),
  CHECK (state = 2 OR next_payload IS NULL)
) STRICT;
CREATE UNIQUE INDEX queue_job_key ON queue_job (key) WHERE key IS NOT NULL;
CREATE INDEX queue_job_waiting ON queue_job (due) WHERE state = 0;
CREATE INDEX queue_job_ready ON queue_job (priority, due) WHERE state = 1;
CREATE INDEX queue_job_running ON queue_job (lease_until, claim) WHERE state = 2;

CREATE TABLE queue_dead (
  id         INTEGER PRIMARY KEY,
  died       INTEGER NOT NULL,
  error_type TEXT NOT NULL,
  message    TEXT NOT NULL,
  key        TEXT,
  priority   INTEGER NOT NULL,
  enqueued   INTEGER NOT NULL,
  attempts   INTEGER NOT NULL,
  deferred   INTEGER NOT NULL,
  lost       INTEGER NOT NULL,
  superseded INTEGER NOT NULL,
  has_history INTEGER NOT NULL,
  payload    TEXT NOT NULL
) STRICT;
CREATE INDEX queue_dead_key ON queue_dead (key) WHERE key IS NOT NULL;
CREATE INDEX queue_dead_died ON queue_dead (died);

-- What happened to a job before it was done. Equal events in a row share one row.
CREATE TABLE queue_event (
  job        INTEGER NOT NULL,
  n          INTEGER NOT NULL,
  kind       INTEGER NOT NULL,
  first      INTEGER NOT NULL,
  last       INTEGER NOT NULL,
  times      INTEGER NOT NULL,
  error_type TEXT,
  message    TEXT,
  PRIMARY KEY (job, n)
) STRICT, WITHOUT ROWID;

-- Processes that hold claims. Ids are never reused: they are half of a claim number.
CREATE TABLE queue_owner (id INTEGER PRIMARY KEY, since INTEGER NOT NULL) STRICT;

-- How many migrations of the application's own tables have run.
CREATE TABLE queue_app (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- One row. Whoever changes a job's state changes the counts in the same transaction.
CREATE TABLE queue_meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  min_version INTEGER NOT NULL,
  last_id    INTEGER NOT NULL,
  last_owner INTEGER NOT NULL,
  paused     INTEGER NOT NULL,
  waiting    INTEGER NOT NULL,
  ready      INTEGER NOT NULL,
  running    INTEGER NOT NULL,
  dead       INTEGER NOT NULL,
  done       INTEGER NOT NULL,
  deferred   INTEGER NOT NULL,
  lost       INTEGER NOT NULL,
  superseded INTEGER NOT NULL
) STRICT;
INSERT INTO queue_meta VALUES (1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
