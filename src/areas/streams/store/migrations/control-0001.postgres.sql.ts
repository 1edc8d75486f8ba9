/** The namespaces with retention policies, and when each is due for the next sweep. The columns are those of the entity. */
export const STREAMS_CONTROL_0001 = `
CREATE TABLE sweeps (
  namespace_id text COLLATE "C" PRIMARY KEY,
  revision     bigint NOT NULL,
  due_time     bigint NOT NULL
);
`;
