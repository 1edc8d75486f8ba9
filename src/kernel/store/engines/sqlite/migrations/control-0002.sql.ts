/** The namespaces that the sweeper looks after, as the entity in src/store/entities has them. */
export default `
CREATE TABLE sweeps (
  namespace_id TEXT NOT NULL PRIMARY KEY,
  revision INTEGER NOT NULL,
  due_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
