-- What the jobs are, as named by the first program that opened the file with a name.
ALTER TABLE queue_meta ADD COLUMN format TEXT;
