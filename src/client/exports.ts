// What both entries export: index.ts for Node, web.ts for browsers.

export { type AppendedMessage, type Expectation, type NewMessage, NO_STREAM, type StreamAppend } from "./append.ts";
export { SatchelClient, type ServerInfo } from "./client.ts";
export type { ConsumeFrame, ConsumeOptions, Delivery, PartitionLease } from "./consume.ts";
export type { ConsumerGroups, ParkedSelection } from "./consumer-groups.ts";
export type {
  ConsumerEvent,
  ConsumerOptions,
  ConsumerRun,
  HandlerContext,
  MessageHandler,
} from "./consumer-options.ts";
export {
  type ErrorCode,
  type ErrorFact,
  type FieldViolation,
  type Reason,
  SatchelClientError,
  type VersionConflict,
} from "./errors.ts";
export type {
  ConsumerGroup,
  ConsumerGroupStatus,
  GroupMember,
  GroupSettings,
  GroupStart,
  NewConsumerGroup,
  ParkedMessage,
  PartitionStatus,
} from "./group-values.ts";
export type { JsonInput, JsonOptions } from "./json.ts";
export { newMessageId } from "./message-id.ts";
export type { Namespace, Namespaces, NamespaceStatistics, Role, TokenInfo } from "./namespaces.ts";
export type { CallOptions, ClientOptions } from "./options.ts";
export type { ListOptions } from "./paging.ts";
export type { ConsumerGroupMember, MessageBatch, ReadOptions, ReadSelector, ReadStart } from "./read.ts";
export { RejectMessage } from "./reject-message.ts";
export type {
  DeletedStream,
  DeleteStreamOptions,
  RetentionInForce,
  RetentionPolicy,
  RetentionPreview,
  RetentionTarget,
  TruncatedStream,
} from "./retention.ts";
export { DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";
export type { Acknowledgement, RejectAction, Rejection } from "./settlement.ts";
export { StreamMessage } from "./stream-message.ts";
export type {
  CategoryPageOptions,
  CategorySummary,
  MessagePage,
  StreamPageOptions,
  Streams,
  StreamSummary,
} from "./streams.ts";
export {
  type FastifyReplyLike,
  type HeaderCarrier,
  type RequestSession,
  type ServerResponseLike,
  SessionMiddleware,
  type SessionMiddlewareOptions,
} from "./session-middleware.ts";
export type { SessionPolicy, SessionPolicyChange } from "./session-policy.ts";
export type { LoginSession, SessionEnd, SessionStatus, SessionUse, TokenRefusal, UserDevice } from "./session-types.ts";
export type { NewLoginSession, Sessions, SessionWithToken, TokenValidation, ValidateOptions } from "./sessions.ts";
