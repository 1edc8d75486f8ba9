CREATE TABLE namespaces (
  id TEXT NOT NULL PRIMARY KEY,
  description TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'deleting')),
  create_time_micros INTEGER NOT NULL,
  update_time_micros INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tokens (
  id TEXT NOT NULL PRIMARY KEY,
  namespace_id TEXT NOT NULL REFERENCES namespaces (id) DEFERRABLE INITIALLY DEFERRED,
  hash BLOB NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('reader', 'writer', 'admin')),
  description TEXT NOT NULL,
  create_time_micros INTEGER NOT NULL,
  expire_time_micros INTEGER,
  revoke_time_micros INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_namespace ON tokens (namespace_id, create_time_micros, id);
CREATE TABLE settings (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO namespaces VALUES ('main', 'the first', 'active', 1763665799123456, 1763665799123456);
INSERT INTO tokens VALUES ('00112233445566778899aabbccddeeff', 'main', x'01ff', 'writer', '', 1763665799123456, NULL, NULL);
INSERT INTO settings VALUES ('root_token_hash', '01ff');
