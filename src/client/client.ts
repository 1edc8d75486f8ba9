import type { Transport } from "@connectrpc/connect";
import { ServerService } from "../gen/satchel/v1/server_pb.ts";
import { Caller } from "./caller.ts";
import { ConsumerGroups } from "./consumer-groups.ts";
import { Namespaces } from "./namespaces.ts";
import type { CallOptions, ClientOptions } from "./options.ts";
import { Sessions } from "./sessions.ts";
import { Streams } from "./streams.ts";

/** What a server is. */
export interface ServerInfo {
  readonly version: string;
  readonly engine: string;
  /** Every limit by its name, for example `max_message_bytes`. */
  readonly limits: ReadonlyMap<string, bigint>;
}

/** A Satchel server as a program sees it. Cheap to keep, safe to share; one per server and token. */
export class SatchelClient implements Disposable {
  /** Messages in streams and categories. */
  readonly streams: Streams;
  /** Consumer groups: several members share the work on a category. */
  readonly consumerGroups: ConsumerGroups;
  /** Namespaces and tokens, for the operator. */
  readonly namespaces: Namespaces;
  /** Login sessions. */
  readonly sessions: Sessions;
  readonly #transport: Transport;
  readonly #options: ClientOptions;
  readonly #caller: Caller;
  readonly #disconnect: () => void;

  /** For `createClient`; `disconnect` closes the transport. */
  constructor(transport: Transport, options: ClientOptions, disconnect: () => void) {
    this.#transport = transport;
    this.#options = options;
    this.#caller = new Caller(transport, options);
    this.#disconnect = disconnect;
    this.streams = new Streams(this.#caller);
    this.consumerGroups = new ConsumerGroups(this.#caller);
    this.namespaces = new Namespaces(this.#caller);
    this.sessions = new Sessions(this.#caller);
  }

  /** The same client, acting for a user: it reaches that user's data only. It shares the connection. */
  actingFor(userId: string, deviceId?: string): SatchelClient {
    return new SatchelClient(this.#transport, { ...this.#options, userId, deviceId }, () => {});
  }

  /** Version, engine and limits of the server; needs no token. */
  async serverInfo(options?: CallOptions): Promise<ServerInfo> {
    const { version, engine, limits } = await this.#caller.repeatable(ServerService.method.getServerInfo, {}, options);
    return { version, engine, limits: new Map(limits.map(({ name, maximum }) => [name, maximum])) };
  }

  /**
   * Closes the connection: calls that are under way fail, and reads and consumers end with CANCELLED instead of going on. An
   * idle connection does not keep a process alive.
   */
  close(): void {
    this.#disconnect();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
