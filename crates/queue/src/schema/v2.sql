-- What a follow-up does unless the running job is done, where a merge makes it differ from next_payload. A program that does
-- not know the column would lose it.
ALTER TABLE queue_job ADD COLUMN next_unless_done TEXT;
UPDATE queue_meta SET min_version = 2;
