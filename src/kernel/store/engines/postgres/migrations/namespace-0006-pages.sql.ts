/** A page that is this many times smaller than it might be is not worth what it saves to know its size beforehand. */
const WORTH_IT = 4;

const BOUNDS = `least_position bigint, greatest_position bigint, backwards boolean, types text[], max_messages bigint, max_bytes bigint`;
/** The columns that PackedMessage reads, and of how many messages a full page is. */
const RETURNS = `
RETURNS TABLE (id uuid, stream_name text, type text, "position" bigint, global_position bigint, data text, metadata text,
               "time" timestamp WITHOUT TIME ZONE, page_size bigint)
LANGUAGE plpgsql STABLE ROWS 100 SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column`;

const OF_TYPES = "(types IS NULL OR m.type = ANY (types))";
/** As a comparison of rows, which only the index of categories can serve. */
const IN_CATEGORY = `(m.category, m.global_position) >= (of_category, least_position)
        AND (m.category, m.global_position) <= (of_category, greatest_position)`;
const IN_PART = `(correlation IS NULL OR m.correlation_category = correlation)
        AND (group_size IS NULL OR abs(m.cardinal_hash % group_size) = group_member)`;

type Direction = "" | " DESC";

/** What a page is of: messages `m`, and their order. */
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
 * A page of a stream, of a category or of everything, between two positions, both included. These are functions because a
 * connection plans once what they run (by the indexes, though the namespace may be empty then), and COPY, by which their
 * rows come in binary, cannot run what is prepared.
 *
 * A page has no more messages than `max_messages`, and than fit in `max_bytes`; but one. Adding them up costs a good part
 * of what reading them does, so where the largest message of the category is small enough, a page is of as many as fit at
 * that size.
 */
export const NAMESPACE_0006_PAGES = `
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
    -- The index has all that selects: it finds the messages, and the table is asked for no others.
    ${eitherWay((direction) => `${keysOfPart(direction)}${page(KEYS, direction)}`)}
  ELSE
    ${eitherWay((direction) => page(CATEGORY, direction))}
  END IF;
END $$;
`;

/** How many messages a page is of where none is too large for that; null where they have to be added up. */
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
