/**
 * The retention policies of streams and categories.
 */
export const STREAMS_0001_RETENTION = `
CREATE TABLE retention_policies (
  -- The name of a stream (with a "-") or of a category (without).
  target         text COLLATE "C" PRIMARY KEY,
  max_age_micros bigint,
  max_count      bigint,
  -- Changes whenever the positions below are reset.
  revision       bigint NOT NULL,
  -- The global positions up to which the limits of age and count have been applied.
  aged_to        bigint NOT NULL,
  counted_to     bigint NOT NULL
);

-- Sets a policy, or removes it when both limits are null. Returns null, or the number
-- of policies that there would be when it exceeds max_policies.
CREATE FUNCTION set_retention(
  the_target text, new_max_age_micros bigint, new_max_count bigint, new_revision bigint, max_policies bigint
) RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  others bigint := (SELECT count(*) FROM retention_policies p WHERE p.target <> the_target);
BEGIN
  IF new_max_age_micros IS NULL AND new_max_count IS NULL THEN
    DELETE FROM retention_policies p WHERE p.target = the_target;
    -- The category's policy now applies to the stream: it starts from the beginning.
    UPDATE retention_policies p SET revision = new_revision, aged_to = 0, counted_to = 0
    WHERE p.target = split_part(the_target, '-', 1);
  ELSIF others >= max_policies THEN
    RETURN others + 1;
  ELSE
    INSERT INTO retention_policies AS p (target, max_age_micros, max_count, revision, aged_to, counted_to)
    VALUES (the_target, new_max_age_micros, new_max_count, new_revision, 0, 0)
    ON CONFLICT (target) DO UPDATE SET max_age_micros = excluded.max_age_micros, max_count = excluded.max_count,
      revision = excluded.revision, aged_to = 0, counted_to = 0;
  END IF;
  RETURN NULL;
END $$;
`;
