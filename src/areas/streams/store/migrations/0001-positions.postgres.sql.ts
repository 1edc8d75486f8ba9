/**
 * Global positions: the sequence, the function that draws a position, and the head below which nothing can appear any more.
 *
 * Before a transaction draws its first position, next_global_position() leaves a mark that other sessions can see. The mark is
 * a shared advisory lock, held until the transaction ends. Its key is the last position that was drawn before, so the
 * transaction can only draw positions above it. safe_head() reads the marks: no message at or below the lowest mark can
 * become visible later (docs/adr/0002-reading-a-whole-namespace.md).
 */
export const STREAMS_0001_POSITIONS = `
CREATE SEQUENCE messages_global_position_seq AS bigint CACHE 1;

CREATE FUNCTION next_global_position(positions regclass) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  -- Once per transaction. A rollback to a savepoint undoes the setting and the lock together.
  IF current_setting('satchel.in_flight', true) IS DISTINCT FROM positions::oid::text THEN
    PERFORM pg_advisory_xact_lock_shared(
      positions::oid::bigint::bit(32)::integer, coalesce(pg_sequence_last_value(positions), 0)::bit(32)::integer);
    PERFORM set_config('satchel.in_flight', positions::oid::text, true);
  END IF;
  RETURN nextval(positions);
END $$;

CREATE FUNCTION safe_head() RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  positions oid := 'messages_global_position_seq'::regclass;
  head bigint;
  mark bigint;
BEGIN
  -- The order matters: first the head, then the marks, and after both the reader's own snapshot.
  head := coalesce(pg_sequence_last_value(positions), 0);
  -- A lock's key holds only the low 32 bits of the mark, so the distance from the head is computed modulo 2^32.
  -- A mark left after the head was read lies above the head: its distance is just below 2^32, and it is ignored.
  SELECT head - max(l.distance) INTO mark
  FROM (
    SELECT (head - objid::bigint) & 4294967295 AS distance
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND classid = positions
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  ) l
  WHERE l.distance < 2147483648;
  RETURN least(head, mark);
END $$;
`;
