import type * as Undici from "@effect/platform-node/Undici"
import { Socket } from "node:net"

type Connector = Undici.buildConnector.connector

/** The requests and the connections of one agent. */
export class Connections {
  // A count: with a set of the requests, a thousand generations take 10 MB more.
  #requests = 0
  readonly #sockets = new Set<Socket>()

  /** Counts a request that starts. */
  begin() {
    this.#requests += 1
  }

  /** Counts a request that ended. */
  end() {
    this.#requests -= 1
  }

  /**
   * Makes a connector that connects only while a request runs. undici connects once more after each request that was
   * aborted while its response was pending.
   */
  connector(connect: (...parameters: Parameters<Connector>) => unknown): Connector {
    return (options, callback) => {
      if (this.#requests > 0) this.#add(connect(options, callback))
      else callback(Object.assign(new Error("no request needs a connection"), { code: "ECONNABORTED" }), null)
    }
  }

  /** Ends every connection. undici keeps those that it is still making, or that are tunnels, for ten seconds. */
  destroy() {
    for (const socket of this.#sockets) socket.destroy(new Error("the agent is closed"))
  }

  /** A connector of undici returns its socket at once, which its type does not say. */
  #add(socket: unknown) {
    if (!(socket instanceof Socket)) return
    this.#sockets.add(socket)
    socket.once("close", () => this.#sockets.delete(socket))
  }
}
