import type { McpServer } from "@modelcontextprotocol/server"
import {
  createMcpHandler,
  isLegacyRequest,
  WebStandardStreamableHTTPServerTransport
} from "@modelcontextprotocol/server"
import { randomUUID } from "node:crypto"

export interface Handler {
  readonly handle: (request: Request) => Promise<Response>
  readonly close: () => Promise<void>
}

// A client that never ends its sessions must not fill the memory.
const mostSessions = 256

const unknownSession = () =>
  Response.json(
    { jsonrpc: "2.0", id: null, error: { code: -32_001, message: "Session not found. Initialize a new one." } },
    { status: 404 }
  )

/**
 * Serves clients of the 2025 protocol in sessions: they cancel a call with a second request, which `createMcpHandler`
 * would give to another server.
 */
const makeSessions = (make: () => McpServer): Handler => {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()

  const dropOldest = async () => {
    const [oldest] = sessions
    if (sessions.size < mostSessions || oldest === undefined) return
    sessions.delete(oldest[0])
    await oldest[1].close()
  }

  const open = async (request: Request): Promise<Response> => {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: async (id) => {
        await dropOldest()
        sessions.set(id, transport)
      }
    })
    transport.onclose = () => {
      if (transport.sessionId !== undefined) sessions.delete(transport.sessionId)
    }
    await make().connect(transport)
    const response = await transport.handleRequest(request)
    if (transport.sessionId === undefined) await transport.close()
    return response
  }

  return {
    handle: async (request) => {
      const id = request.headers.get("mcp-session-id")
      if (id === null) return open(request)
      const transport = sessions.get(id)
      return transport === undefined ? unknownSession() : transport.handleRequest(request)
    },
    close: async () => {
      await Promise.all([...sessions.values()].map((transport) => transport.close()))
    }
  }
}

/** Serves clients of both protocols: those of 2025 in sessions, those of 2026 request by request. */
export const makeHandler = (make: () => McpServer): Handler => {
  const sessions = makeSessions(make)
  const modern = createMcpHandler(make, { legacy: "reject" })
  return {
    handle: async (request) => ((await isLegacyRequest(request)) ? sessions.handle(request) : modern.fetch(request)),
    close: async () => {
      await Promise.all([sessions.close(), modern.close()])
    }
  }
}
