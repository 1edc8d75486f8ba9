// The entry `@satchel/client/middleware`: lets requests into a back end by their sessions.

export {
  type FastifyReplyLike,
  type HeaderCarrier,
  type RequestSession,
  type ServerResponseLike,
  SessionMiddleware,
  type SessionMiddlewareOptions,
} from "./sessions/session-middleware.ts";
