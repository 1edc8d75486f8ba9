/**
 * What reads are helped by. Each category knows how large its largest message was, so that a page of small messages need not
 * be measured. And get_category_messages() goes by the index of categories whatever the planner believes of them: for a
 * part of a category it first finds the positions, in the index alone.
 */
export const NAMESPACE_0005_READS = `
ALTER TABLE categories ADD COLUMN max_message_bytes integer NOT NULL DEFAULT 0;

UPDATE categories c SET max_message_bytes = m.bytes
FROM (SELECT category, max(bytes) AS bytes FROM messages GROUP BY category) m WHERE m.category = c.category;

CREATE OR REPLACE FUNCTION count_inserted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO categories AS c (category, message_count, stream_count, last_global_position, max_message_bytes)
  SELECT i.category, count(*),
         count(*) FILTER (WHERE i.position = 0 OR i.position - 1 = (
           SELECT s.version FROM stream_states s WHERE s.stream_name = i.stream_name)),
         max(i.global_position), max(i.bytes)
  FROM inserted i
  GROUP BY i.category ORDER BY i.category
  ON CONFLICT (category) DO UPDATE SET
    message_count = c.message_count + excluded.message_count,
    stream_count = c.stream_count + excluded.stream_count,
    last_global_position = greatest(c.last_global_position, excluded.last_global_position),
    max_message_bytes = greatest(c.max_message_bytes, excluded.max_message_bytes);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION get_category_messages(
  category varchar, "position" bigint DEFAULT 1, batch_size bigint DEFAULT 1000, correlation varchar DEFAULT NULL,
  consumer_group_member bigint DEFAULT NULL, consumer_group_size bigint DEFAULT NULL, condition varchar DEFAULT NULL
) RETURNS SETOF message LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan SET enable_bitmapscan = off AS $$
DECLARE
  first_position bigint := coalesce(get_category_messages.position, 1);
  max_messages bigint := nullif(coalesce(get_category_messages.batch_size, 1000), -1);
BEGIN
  PERFORM check_category_arguments(category, correlation, consumer_group_member, consumer_group_size, condition);
  IF correlation IS NULL AND consumer_group_size IS NULL THEN
    RETURN QUERY
      SELECT m.id::varchar, m.stream_name::varchar, m.type::varchar, m.position, m.global_position,
             m.data::varchar, m.metadata::varchar, m.time
      FROM messages m
      WHERE (m.category, m.global_position) >= (get_category_messages.category, first_position)
        AND (m.category, m.global_position) <= (get_category_messages.category, 9223372036854775807)
      ORDER BY m.category, m.global_position
      LIMIT max_messages;
  ELSE
    RETURN QUERY
      SELECT m.id::varchar, m.stream_name::varchar, m.type::varchar, m.position, m.global_position,
             m.data::varchar, m.metadata::varchar, m.time
      FROM messages m
      WHERE m.global_position = ANY (ARRAY (
        SELECT k.global_position
        FROM messages k
        WHERE (k.category, k.global_position) >= (get_category_messages.category, first_position)
          AND (k.category, k.global_position) <= (get_category_messages.category, 9223372036854775807)
          AND (get_category_messages.correlation IS NULL OR k.correlation_category = get_category_messages.correlation)
          AND (consumer_group_size IS NULL OR abs(k.cardinal_hash % consumer_group_size) = consumer_group_member)
        ORDER BY k.category, k.global_position
        LIMIT max_messages))
      ORDER BY m.global_position;
  END IF;
END $$;
`;
