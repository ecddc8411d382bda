-- A plan made while the table of attempts was tiny reads all of it, and is kept while the table grows. These functions
-- only ever look rows up by their keys.
alter function keyward_attempts_closed_until(bytea[], timestamptz) set enable_seqscan = off;
alter function keyward_take_attempt set enable_seqscan = off;
