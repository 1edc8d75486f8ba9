import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { CallRetries } from "./call-retries.ts";
import type { CallOptions, ClientOptions } from "./client-options.ts";
import { toClientError } from "./errors.ts";
import { DEFAULT_RETRY, type Environment, NO_RETRY, REAL_ENVIRONMENT, type RetryPolicy } from "./retry-policy.ts";

const DEFAULT_TIMEOUT_MS = 30_000;

/** Calls RPCs: adds the credentials, keeps the deadline, and retries where a repeat is safe. */
export class RpcCaller {
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

  /** Calls an idempotent RPC, with retries until the deadline. */
  async callWithRetries<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const retries = this.retries(options.timeoutMs ?? this.#timeoutMs, options.signal);
    for (;;) {
      try {
        return await this.#unary(method, input, options.signal, retries.remainingMs());
      } catch (error) {
        await retries.waitAfter(toClientError(error, options.signal));
      }
    }
  }

  /** Calls an idempotent RPC, with retries until it succeeds, fails for good, or is cancelled. Each try has a deadline. */
  async callUntilAnswered<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal,
  ): Promise<MessageShape<O>> {
    const retries = this.endlessRetries(signal);
    // A signal for each call: Node warns of a leak when many listen to the same one.
    const own = AbortSignal.any([signal]);
    for (;;) {
      try {
        return await this.#unary(method, input, own, this.#timeoutMs);
      } catch (error) {
        await retries.waitAfter(toClientError(error, signal));
      }
    }
  }

  /** Calls an RPC that is not idempotent: without retries, because the outcome of a lost call is unknown. */
  async callOnce<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    { signal, timeoutMs = this.#timeoutMs }: CallOptions = {},
  ): Promise<MessageShape<O>> {
    try {
      return await this.#unary(method, input, signal, this.retries(timeoutMs, signal).remainingMs());
    } catch (error) {
      throw toClientError(error, signal);
    }
  }

  /** Opens a server stream, without retries; throws what the transport throws. Aborting `signal` ends the call. */
  async openStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<AsyncIterable<MessageShape<O>>> {
    const headers = await this.#headers();
    const response = await this.#transport.stream(method, signal, timeoutMs, headers, single(input));
    return response.message;
  }

  /** The retries of one call, by the client's policy. A `timeoutMs` of 0 means no deadline. */
  retries(timeoutMs: number, signal: AbortSignal | undefined): CallRetries {
    return new CallRetries(this.#retry, this.#environment, timeoutMs, signal);
  }

  /** Retries without limit: they end with success, a final error, or the signal. */
  endlessRetries(signal: AbortSignal): CallRetries {
    const policy = this.#retry === NO_RETRY ? DEFAULT_RETRY : this.#retry;
    return new CallRetries({ ...policy, maxAttempts: Infinity }, this.#environment, 0, signal);
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

  async #headers(): Promise<Record<string, string>> {
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    return token === undefined ? this.#metadata : { ...this.#metadata, authorization: `Bearer ${token}` };
  }
}

async function* single<T>(item: T): AsyncGenerator<T> {
  yield item;
}
