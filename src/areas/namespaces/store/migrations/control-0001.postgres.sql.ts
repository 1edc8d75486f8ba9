/** Namespaces, their tokens, and the settings of the whole store. The columns are those of the entities. Times are microseconds since 1970. */
export const NAMESPACES_CONTROL_0001 = `
CREATE TABLE namespaces (
  id                 text COLLATE "C" PRIMARY KEY,
  description        text NOT NULL,
  state              text NOT NULL CHECK (state IN ('active', 'deleting')),
  create_time_micros bigint NOT NULL,
  update_time_micros bigint NOT NULL
);

CREATE TABLE tokens (
  id                 text COLLATE "C" PRIMARY KEY,
  namespace_id       text COLLATE "C" NOT NULL REFERENCES namespaces (id),
  hash               bytea NOT NULL,
  role               text NOT NULL CHECK (role IN ('reader', 'writer', 'admin')),
  description        text NOT NULL,
  create_time_micros bigint NOT NULL,
  expire_time_micros bigint,
  revoke_time_micros bigint
);

CREATE INDEX tokens_namespace ON tokens (namespace_id, create_time_micros, id);

CREATE TABLE settings (
  name  text COLLATE "C" PRIMARY KEY,
  value text NOT NULL
);
`;
