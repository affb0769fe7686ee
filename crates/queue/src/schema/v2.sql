-- A program that does not know these columns would lose what is in them: it is refused.
UPDATE queue_meta SET min_version = 2;

-- What a follow-up does unless the running job is done, where a merge makes it differ from
-- next_payload.
ALTER TABLE queue_job ADD COLUMN next_unless_done TEXT;

-- When due was set; next_due was set at next_enqueued. Later than now, the clock was set back
-- since.
ALTER TABLE queue_job ADD COLUMN due_set INTEGER;
CREATE INDEX queue_job_due_set ON queue_job (due_set) WHERE state = 0;
