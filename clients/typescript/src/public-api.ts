// The exports that the entries for Node (index.ts) and for browsers (web.ts) share.

export {
  type AppendedMessage,
  type Expectation,
  type NewMessage,
  NO_STREAM,
  type StreamAppend,
} from "./streams/append-request.ts";
export { SatchelClient, type ServerInfo } from "./client.ts";
export type { ConsumeFrame, ConsumeOptions, Delivery, PartitionLease } from "./consumer-groups/consume-frames.ts";
export type { ConsumerGroups, ParkedSelection } from "./consumer-groups/consumer-groups.ts";
export type {
  ConsumerEvent,
  ConsumerOptions,
  ConsumerRun,
  HandlerContext,
  MessageHandler,
} from "./consumer-groups/consumer-options.ts";
export {
  type ErrorCode,
  type ErrorFact,
  type FieldViolation,
  type Reason,
  SatchelClientError,
  type VersionConflict,
} from "./core/errors.ts";
export type {
  ConsumerGroup,
  ConsumerGroupStatus,
  GroupMember,
  GroupSettings,
  GroupStart,
  NewConsumerGroup,
  ParkedMessage,
  PartitionStatus,
} from "./consumer-groups/group-types.ts";
export type { JsonInput, JsonOptions } from "./core/json.ts";
export { newUuid as newMessageId } from "./core/uuid.ts";
export type { Namespace, Namespaces, NamespaceStatistics, Role, TokenInfo } from "./namespaces/namespaces.ts";
export type { CallOptions, ClientOptions } from "./core/client-options.ts";
export type { ListOptions } from "./core/list-pages.ts";
export type {
  ConsumerGroupMember,
  MessageBatch,
  ReadOptions,
  ReadSelector,
  ReadStart,
} from "./streams/read-messages.ts";
export { RejectMessage } from "./consumer-groups/reject-message.ts";
export type {
  DeletedStream,
  DeleteStreamOptions,
  RetentionInForce,
  RetentionPolicy,
  RetentionPreview,
  RetentionTarget,
  TruncatedStream,
} from "./streams/retention.ts";
export { DEFAULT_RETRY, type RetryPolicy } from "./core/retry-policy.ts";
export type { Acknowledgement, RejectAction, Rejection } from "./consumer-groups/settlement-requests.ts";
export { StreamMessage } from "./streams/stream-message.ts";
export type {
  CategoryPageOptions,
  CategorySummary,
  MessagePage,
  StreamPageOptions,
  Streams,
  StreamSummary,
} from "./streams/streams.ts";
export type { SessionPolicy, SessionPolicyChange } from "./sessions/session-policy.ts";
export type {
  LoginSession,
  SessionEnd,
  SessionStatus,
  SessionUse,
  TokenRefusal,
  UserDevice,
} from "./sessions/session-types.ts";
export type {
  NewLoginSession,
  Sessions,
  SessionWithToken,
  TokenValidation,
  ValidateOptions,
} from "./sessions/sessions.ts";
