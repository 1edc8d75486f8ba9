/** A size that is known beforehand is used unless it makes the page more than this many times smaller than asked for. */
const WORTH_IT = 4;

const BOUNDS = `least_position bigint, greatest_position bigint, backwards boolean, types text[], max_messages bigint, max_bytes bigint`;
/** The columns that PackedMessage reads, and the number of messages of a full page. */
const RETURNS = `
RETURNS TABLE (id uuid, stream_name text, type text, "position" bigint, global_position bigint, data text, metadata text,
               "time" timestamp WITHOUT TIME ZONE, page_size bigint)
LANGUAGE plpgsql STABLE ROWS 100 SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column`;

const OF_TYPES = "(types IS NULL OR m.type = ANY (types))";
/** A comparison of rows: only the index of categories can serve it. */
const IN_CATEGORY = `(m.category, m.global_position) >= (of_category, least_position)
        AND (m.category, m.global_position) <= (of_category, greatest_position)`;
const IN_PART = `(correlation IS NULL OR m.correlation_category = correlation)
        AND (group_size IS NULL OR abs(m.cardinal_hash % group_size) = group_member)`;

type Direction = "" | " DESC";

/** The messages `m` that a page is taken from, and their order. */
interface Selected {
  readonly from: string;
  readonly order: (direction: Direction) => string;
}

const STREAM: Selected = {
  from: `messages m WHERE m.stream_name = of_stream AND m.position BETWEEN least_position AND greatest_position AND ${OF_TYPES}`,
  order: (direction) => `m.position${direction}`,
};
const ALL: Selected = {
  from: `messages m WHERE m.global_position BETWEEN least_position AND greatest_position AND ${OF_TYPES}`,
  order: (direction) => `m.global_position${direction}`,
};
const CATEGORY: Selected = {
  from: `messages m WHERE ${IN_CATEGORY} AND ${IN_PART} AND ${OF_TYPES}`,
  order: (direction) => `m.category${direction}, m.global_position${direction}`,
};
const KEYS: Selected = {
  from: "messages m WHERE m.global_position = ANY (keys)",
  order: (direction) => `m.global_position${direction}`,
};

/**
 * Functions that read a page of a stream, of a category or of the whole namespace, between two positions, both included.
 *
 * Their rows are read by COPY, in binary (docs/adr/0010-pages-by-copy.md), and COPY cannot run a prepared statement. A
 * connection plans the statements of a function only once. The plan uses the indexes even when it is made for an empty
 * namespace.
 *
 * A page has at most `max_messages` messages, and at most `max_bytes` bytes unless its first message alone is larger. To
 * add up the sizes costs a good part of the reading, so when the category's largest message is small enough, the page has
 * as many messages as fit if all were that large.
 */
export const STREAMS_0001_PAGES = `
CREATE FUNCTION page_of_stream(of_stream text, ${BOUNDS}) ${RETURNS}
DECLARE
  size bigint := ${sureSize("split_part(of_stream, '-', 1)")};
BEGIN
  ${eitherWay((direction) => page(STREAM, direction))}
END $$;

CREATE FUNCTION page_of_all(${BOUNDS}) ${RETURNS}
DECLARE
  size bigint;
BEGIN
  ${eitherWay((direction) => page(ALL, direction))}
END $$;

CREATE FUNCTION page_of_category(
  of_category text, correlation text, group_member bigint, group_size bigint, ${BOUNDS}
) ${RETURNS}
DECLARE
  size bigint := ${sureSize("of_category")};
  keys bigint[];
BEGIN
  IF types IS NULL AND (correlation IS NOT NULL OR group_size IS NOT NULL) THEN
    -- The index covers every condition: it finds the positions, and only those rows are read from the table.
    ${eitherWay((direction) => `${keysOfPart(direction)}${page(KEYS, direction)}`)}
  ELSE
    ${eitherWay((direction) => page(CATEGORY, direction))}
  END IF;
END $$;
`;

/** The number of messages that fit whatever their sizes; null when the sizes have to be added up. */
function sureSize(category: string): string {
  return `(
    SELECT CASE WHEN c.fit * ${WORTH_IT} >= max_messages THEN least(max_messages, c.fit) END
    FROM (SELECT max_bytes / greatest(c.max_message_bytes, 1) AS fit FROM categories c WHERE c.category = ${category}) c)`;
}

function eitherWay(statements: (direction: Direction) => string): string {
  return `IF backwards THEN ${statements(" DESC")} ELSE ${statements("")} END IF;`;
}

function keysOfPart(direction: Direction): string {
  return `
      keys := ARRAY (
        SELECT m.global_position FROM messages m WHERE ${IN_CATEGORY} AND ${IN_PART}
        ORDER BY ${CATEGORY.order(direction)} LIMIT max_messages);`;
}

function page({ from, order }: Selected, direction: Direction): string {
  return `
      IF size IS NULL THEN
        size := (
          SELECT greatest(1, count(*)) FROM (
            SELECT sum(m.bytes) OVER (ORDER BY ${order(direction)} ROWS UNBOUNDED PRECEDING) AS total
            FROM (SELECT m.* FROM ${from} ORDER BY ${order(direction)} LIMIT max_messages) m
          ) m WHERE m.total <= max_bytes);
      END IF;
      RETURN QUERY
        SELECT m.id, m.stream_name, m.type, m.position, m.global_position, m.data::text, m.metadata::text, m.time, size
        FROM ${from} ORDER BY ${order(direction)} LIMIT size;`;
}
