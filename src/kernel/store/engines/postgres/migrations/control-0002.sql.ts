/** The namespaces that the sweeper looks after, as the entity describes them. */
export const CONTROL_0002 = `
CREATE TABLE sweeps (
  namespace_id text COLLATE "C" PRIMARY KEY,
  revision     bigint NOT NULL,
  due_time     bigint NOT NULL
);
`;
