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
`;
