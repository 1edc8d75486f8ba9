export const LAST_TIME = "SELECT time FROM messages ORDER BY global_position DESC LIMIT 1";

export const MESSAGE_BY_ID = `
SELECT stream_name AS streamName, type, data, metadata, position, global_position AS globalPosition
FROM messages WHERE id = ?`;

export const INSERT_MESSAGE = `
INSERT INTO messages
  (position, time, id, stream_name, type, category, cardinal_hash, correlation_category, bytes, data, metadata)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export const COUNT_IN_CATEGORY = `
INSERT INTO categories (category, message_count, stream_count, last_global_position) VALUES (?, ?, ?, ?)
ON CONFLICT (category) DO UPDATE SET
  message_count = message_count + excluded.message_count,
  stream_count = stream_count + excluded.stream_count,
  last_global_position = excluded.last_global_position`;
