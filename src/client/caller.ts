import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { Attempts } from "./attempts.ts";
import { toClientError } from "./errors.ts";
import type { CallOptions, ClientOptions } from "./options.ts";
import { DEFAULT_RETRY, type Environment, NO_RETRY, REAL_ENVIRONMENT, type RetryPolicy } from "./retry.ts";

const DEFAULT_TIMEOUT_MS = 30_000;

/** Makes calls: with the token, within a deadline, again where that is safe and may help. */
export class Caller {
  readonly #transport: Transport;
  readonly #token: ClientOptions["token"];
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #retry: RetryPolicy;
  readonly #environment: Environment;

  constructor(transport: Transport, options: ClientOptions, environment: Environment = REAL_ENVIRONMENT) {
    this.#transport = transport;
    this.#token = options.token;
    this.#metadata = {
      ...(options.userId === undefined ? {} : { "satchel-user": encodeURIComponent(options.userId) }),
      ...(options.deviceId === undefined ? {} : { "satchel-device": encodeURIComponent(options.deviceId) }),
    };
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#retry = options.retry === false ? NO_RETRY : { ...DEFAULT_RETRY, ...options.retry };
    this.#environment = environment;
  }

  /** A call that changes nothing, or that changes nothing more when it is repeated. */
  async repeatable<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const attempts = this.attempts(options.timeoutMs ?? this.#timeoutMs, options.signal);
    for (;;) {
      try {
        return await this.#unary(method, input, options.signal, attempts.remainingMs());
      } catch (error) {
        await attempts.failed(toClientError(error, options.signal));
      }
    }
  }

  /** A call that must arrive: as `repeatable`, for as long as it takes. Each try has the deadline of a call. */
  async persistent<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal,
  ): Promise<MessageShape<O>> {
    const attempts = this.persistentAttempts(signal);
    // A signal of its own for each call: Node warns of a leak when one has many listeners.
    const own = AbortSignal.any([signal]);
    for (;;) {
      try {
        return await this.#unary(method, input, own, this.#timeoutMs);
      } catch (error) {
        await attempts.failed(toClientError(error, signal));
      }
    }
  }

  /** A call that is made once, because its outcome would be unknown when it is cut off. */
  async once<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    { signal, timeoutMs = this.#timeoutMs }: CallOptions = {},
  ): Promise<MessageShape<O>> {
    try {
      return await this.#unary(method, input, signal, this.attempts(timeoutMs, signal).remainingMs());
    } catch (error) {
      throw toClientError(error, signal);
    }
  }

  /** The responses of one call; throws what the transport throws. Aborting `signal` ends the call. */
  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<AsyncIterable<MessageShape<O>>> {
    const headers = await this.#headers();
    const response = await this.#transport.stream(method, signal, timeoutMs, headers, only(input));
    return response.message;
  }

  /** The tries of one call. With a `timeoutMs` of 0 it has no deadline. */
  attempts(timeoutMs: number, signal: AbortSignal | undefined): Attempts {
    return new Attempts(this.#retry, this.#environment, timeoutMs, signal);
  }

  /** Tries that end only with success, an error that is final, or the signal. */
  persistentAttempts(signal: AbortSignal): Attempts {
    const policy = this.#retry === NO_RETRY ? DEFAULT_RETRY : this.#retry;
    return new Attempts({ ...policy, maxAttempts: Infinity }, this.#environment, 0, signal);
  }

  async #unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal | undefined,
    timeoutMs: number,
  ): Promise<MessageShape<O>> {
    const response = await this.#transport.unary(method, signal, timeoutMs, await this.#headers(), input);
    return response.message;
  }

  async #headers(): Promise<HeadersInit> {
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    return token === undefined ? this.#metadata : { ...this.#metadata, authorization: `Bearer ${token}` };
  }
}

async function* only<T>(item: T): AsyncGenerator<T> {
  yield item;
}
