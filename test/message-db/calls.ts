import groupMembers from "../vectors/group-members.json" with { type: "json" };
import hashes from "../vectors/hash64.json" with { type: "json" };
import streamNames from "../vectors/stream-names.json" with { type: "json" };

/** SQL text of a string, or NULL. */
function literal(text: string | null): string {
  return text === null ? "NULL" : `'${text.replaceAll("'", "''")}'`;
}

function id(number: number): string {
  return `'00000000-0000-4000-8000-${String(number).padStart(12, "0")}'`;
}

/** Calls that are made in this order, on an empty store. */
export const CALLS: readonly string[] = [
  // Writing, with and without expectation.
  `SELECT write_message(${id(1)}, 's-1', 'T', '{"a": 1}')`,
  `SELECT write_message(${id(2)}, 's-1', 'T', '{"a": 2}', '{"m": true}')`,
  `SELECT write_message(${id(3)}, 's-1', 'U', '{"a": 3}', '{"m": true}', 1)`,
  `SELECT write_message(${id(4)}, 's-1', 'U', '{}', NULL, -1)`,
  `SELECT write_message(${id(4)}, 's-1', 'U', '{}', NULL, -2)`,
  `SELECT write_message(${id(4)}, 's-1', 'U', '{}', NULL, 7)`,
  `SELECT write_message(${id(4)}, 's-3', 'U', '{}', NULL, 0)`,
  `SELECT write_message(${id(4)}, 's-3', 'U', '{}', NULL, -1)`,
  // A repeated id is an error, but the expectation is judged first.
  `SELECT write_message(${id(1)}, 's-1', 'T', '{"a": 1}')`,
  `SELECT write_message(${id(1)}, 's-2', 'T', '{"a": 1}')`,
  `SELECT write_message(${id(1)}, 's-1', 'T', '{"a": 1}', NULL, 0)`,
  // What is accepted and what is not.
  `SELECT write_message('not-a-uuid', 's-1', 'T', '{}')`,
  `SELECT write_message(NULL, 's-1', 'T', '{}')`,
  `SELECT write_message(${id(5)}, 's-1', NULL, '{}')`,
  `SELECT write_message(${id(5)}, 's-1', 'T', NULL)`,
  `SELECT write_message(${id(6)}, 's-1', 'T', '[1, 2]')`,
  `SELECT write_message(${id(7)}, 's-1', 'T', '"text"', '7')`,
  `SELECT write_message(${id(8)}, 's-1', 'T', '"\\u0000"')`,
  `SELECT write_message(${id(9)}, '', 'T', '{}')`,
  `SELECT write_message(${id(10)}, 'bare', 'T', '{}')`,
  `SELECT write_message(${id(11)}, 'numbers-1', 'T', '{"big": 12345678901234567890123, "e": 1e5, "scale": 1.10, "a": 1, "a": 2}')`,
  `SELECT write_message(${id(12)}, 'cor-1', 'T', '{}', '{"correlationStreamName": "origin-9"}')`,
  `SELECT write_message(${id(13)}, 'cor-2', 'T', '{}', '{"correlationStreamName": "origin"}')`,
  `SELECT write_message(${id(14)}, 'cor-3', 'T', '{}', '{"correlationStreamName": "original-1"}')`,
  // Reading a stream.
  "SELECT * FROM get_stream_messages('s-1')",
  "SELECT * FROM get_stream_messages('s-1', 1)",
  "SELECT * FROM get_stream_messages('s-1', 1, 1)",
  "SELECT * FROM get_stream_messages('s-1', NULL, NULL)",
  "SELECT * FROM get_stream_messages('s-1', -5, -1)",
  "SELECT * FROM get_stream_messages('s-1', 0, 0)",
  "SELECT * FROM get_stream_messages('s-1', 0, -2)",
  "SELECT * FROM get_stream_messages('nothing-1')",
  "SELECT * FROM get_stream_messages('s')",
  "SELECT * FROM get_stream_messages(NULL)",
  "SELECT * FROM get_stream_messages('s-1', 0, 1, 'true')",
  "SELECT * FROM get_stream_messages(stream_name => 's-1', batch_size => 2)",
  "SELECT * FROM get_stream_messages('numbers-1')",
  // The last message and the version.
  "SELECT * FROM get_last_stream_message('s-1')",
  "SELECT * FROM get_last_stream_message('s-1', 'U')",
  "SELECT * FROM get_last_stream_message('s-1', 'none')",
  "SELECT * FROM get_last_stream_message('nothing-1')",
  "SELECT * FROM get_last_stream_message('bare')",
  "SELECT stream_version('s-1')",
  "SELECT stream_version('nothing-1')",
  // Reading a category. Failed writes have drawn global positions in both, so these are equal too.
  "SELECT * FROM get_category_messages('s')",
  "SELECT * FROM get_category_messages('s', 3, 2)",
  "SELECT * FROM get_category_messages('s', NULL, -1)",
  "SELECT * FROM get_category_messages('s', 1, 0)",
  "SELECT * FROM get_category_messages('s', 1, -2)",
  "SELECT * FROM get_category_messages('bare')",
  "SELECT * FROM get_category_messages('')",
  "SELECT * FROM get_category_messages(NULL)",
  "SELECT * FROM get_category_messages('s-1')",
  "SELECT * FROM get_category_messages('cor', correlation => 'origin')",
  "SELECT * FROM get_category_messages('cor', correlation => 'origin-9')",
  "SELECT * FROM get_category_messages('cor', correlation => '%')",
  "SELECT * FROM get_category_messages('s', condition => 'true')",
  // The errors of consumer groups, one after the other.
  "SELECT * FROM get_category_messages('s-1', correlation => 'x-1', consumer_group_member => 1)",
  "SELECT * FROM get_category_messages('s', correlation => 'x-1', consumer_group_member => 1)",
  "SELECT * FROM get_category_messages('s', consumer_group_member => 1)",
  "SELECT * FROM get_category_messages('s', consumer_group_size => 1)",
  "SELECT * FROM get_category_messages('s', consumer_group_member => 0, consumer_group_size => 0)",
  "SELECT * FROM get_category_messages('s', consumer_group_member => -1, consumer_group_size => 1)",
  "SELECT * FROM get_category_messages('s', consumer_group_member => 1, consumer_group_size => 1)",
  "SELECT * FROM get_category_messages('s', consumer_group_member => 1, consumer_group_size => 1, condition => 'true')",
  "SELECT * FROM get_category_messages('s', consumer_group_member => 0, consumer_group_size => 32767)",
  "SELECT * FROM get_category_messages('s', consumer_group_member => 0, consumer_group_size => 32768)",
  "SELECT * FROM get_category_messages('bare', consumer_group_member => 0, consumer_group_size => 1)",
  // The rest.
  "SELECT acquire_lock('someStream-123')",
  "SELECT acquire_lock(NULL)",
  "SELECT message_store_version()",
  "SELECT global_position, position, stream_name, type, data, metadata, id FROM messages ORDER BY global_position",
];

/** The golden vectors of names and hashes. */
export const NAME_CALLS: readonly string[] = [
  ...streamNames.map(
    ({ input }) =>
      `SELECT category(${literal(input)}), id(${literal(input)}), cardinal_id(${literal(input)}), is_category(${literal(input)})`,
  ),
  ...hashes.map(({ input }) => `SELECT hash_64(${literal(input)})`),
  "SELECT hash_64(NULL)",
];

/** Writes one message to every stream of the golden vectors, then reads the category as each member of several groups. */
export const GROUP_CALLS: readonly string[] = [
  ...groupMembers.map(({ stream }, index) => `SELECT write_message(${id(100 + index)}, ${literal(stream)}, 'T', '{}')`),
  ...[1, 2, 3, 4].flatMap((size) =>
    Array.from(
      { length: size },
      (_, member) => `SELECT * FROM get_category_messages('account', 1, 1000, NULL, ${member}, ${size})`,
    ),
  ),
];
