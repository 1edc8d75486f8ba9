import type { Transport } from "@connectrpc/connect";
import { ConsumerGroups } from "./consumer-groups/consumer-groups.ts";
import "./core/dispose-symbols.ts";
import type { CallOptions, ClientOptions } from "./core/client-options.ts";
import { RpcCaller } from "./core/rpc-caller.ts";
import { ServerService } from "./gen/satchel/v1/server_pb.ts";
import { Namespaces } from "./namespaces/namespaces.ts";
import { Sessions } from "./sessions/sessions.ts";
import { Streams } from "./streams/streams.ts";

/** Version, engine and limits of a server. */
export interface ServerInfo {
  readonly version: string;
  readonly engine: string;
  /** All limits by name, for example `max_message_bytes`. */
  readonly limits: ReadonlyMap<string, bigint>;
}

/** The client of one server, with one token. Long-lived; safe to share within a process. */
export class SatchelClient implements Disposable {
  /** Messages in streams and categories. */
  readonly streams: Streams;
  /** Consumer groups: several members share the messages of a category. */
  readonly consumerGroups: ConsumerGroups;
  /** Namespaces and their tokens; needs the root token. */
  readonly namespaces: Namespaces;
  /** Login sessions. */
  readonly sessions: Sessions;
  readonly #transport: Transport;
  readonly #options: ClientOptions;
  readonly #caller: RpcCaller;
  readonly #disconnect: () => void;

  /** Called by `createClient`. `disconnect` closes the transport. */
  constructor(transport: Transport, options: ClientOptions, disconnect: () => void) {
    this.#transport = transport;
    this.#options = options;
    this.#caller = new RpcCaller(transport, options);
    this.#disconnect = disconnect;
    this.streams = new Streams(this.#caller);
    this.consumerGroups = new ConsumerGroups(this.#caller);
    this.namespaces = new Namespaces(this.#caller);
    this.sessions = new Sessions(this.#caller);
  }

  /** A client that acts for a user and reaches only the data of that user. It shares the connection of this one. */
  actingFor(userId: string, deviceId?: string): SatchelClient {
    return new SatchelClient(this.#transport, { ...this.#options, userId, deviceId }, () => {});
  }

  /** Describes the server; needs no token. */
  async serverInfo(options?: CallOptions): Promise<ServerInfo> {
    const { version, engine, limits } = await this.#caller.callWithRetries(
      ServerService.method.getServerInfo,
      {},
      options,
    );
    return { version, engine, limits: new Map(limits.map(({ name, maximum }) => [name, maximum])) };
  }

  /**
   * Closes the connection. Calls in flight fail; reads and consumers end with CANCELLED. (An idle connection does not keep
   * a process alive.)
   */
  close(): void {
    this.#disconnect();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
