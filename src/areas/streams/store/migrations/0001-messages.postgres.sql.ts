/**
 * The messages of a namespace: Message DB's table and indexes, followed by generated columns of ours.
 */
export const STREAMS_0001_MESSAGES = `
CREATE TABLE messages (
  global_position      bigint NOT NULL DEFAULT next_global_position('messages_global_position_seq') PRIMARY KEY,
  position             bigint NOT NULL,
  time                 timestamp WITHOUT TIME ZONE NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'utc'),
  stream_name          text COLLATE "C" NOT NULL,
  type                 text COLLATE "C" NOT NULL,
  data                 jsonb,
  metadata             jsonb,
  id                   uuid NOT NULL DEFAULT gen_random_uuid(),
  category             text COLLATE "C" NOT NULL GENERATED ALWAYS AS (split_part(stream_name, '-', 1)) STORED,
  cardinal_hash        bigint GENERATED ALWAYS AS (
    CASE WHEN strpos(stream_name, '-') > 0 THEN
      left('x' || md5(split_part(substr(stream_name, strpos(stream_name, '-') + 1), '+', 1)), 17)::bit(64)::bigint
    END) STORED,
  correlation_category text COLLATE "C" GENERATED ALWAYS AS (split_part(metadata ->> 'correlationStreamName', '-', 1)) STORED,
  bytes                integer NOT NULL GENERATED ALWAYS AS (
    coalesce(octet_length(data::text), 0) + coalesce(octet_length(metadata::text), 0)) STORED
);

ALTER SEQUENCE messages_global_position_seq OWNED BY messages.global_position;

CREATE UNIQUE INDEX messages_id ON messages (id);
CREATE UNIQUE INDEX messages_stream ON messages (stream_name, position);
CREATE INDEX messages_category ON messages (category, global_position) INCLUDE (cardinal_hash, correlation_category);

ALTER TABLE messages SET (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
`;
