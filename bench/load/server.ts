import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Mode, RequestCounts } from "./measures.js"
import type { Stage } from "./records.js"
import { makeRecords } from "./records.js"

const records = makeRecords(process.argv[2] as Mode)
let signUps = 0
let requests = 0

const counts = (): RequestCounts => ({
  signUps,
  submits: records.count(),
  requests,
  polls: records.fewestPolls()
})

interface Route {
  readonly method: "GET" | "POST"
  /** The first capture group is the record id. */
  readonly path: RegExp
  readonly respond: (id: string) => unknown
}

const artaStatus = { queued: "IN_QUEUE", generating: "IN_PROGRESS", done: "DONE" } as const
const replicateStatus = { queued: "starting", generating: "processing", done: "succeeded" } as const
const falStatus = { queued: "IN_QUEUE", generating: "IN_PROGRESS", done: "COMPLETED" } as const

const credentials = {
  localId: "1",
  idToken: `${"x".repeat(900)}.y.z`,
  refreshToken: "r".repeat(200),
  expiresIn: "3600"
}

const prediction = (id: string, stage: Stage) => ({
  id,
  model: "arta/flux",
  version: "hidden",
  input: { prompt: "a lighthouse" },
  logs: "",
  output: stage === "done" ? [records.image(id)] : null,
  error: null,
  status: replicateStatus[stage],
  urls: { get: `/v1/predictions/${id}`, cancel: `/v1/predictions/${id}/cancel` }
})

const routes: ReadonlyArray<Route> = [
  {
    method: "GET",
    path: /^\/arta\/text2image\/([^/]+)\/status$/,
    respond: (id) => {
      const stage = records.poll(id)
      return {
        record_id: id,
        status: artaStatus[stage],
        response: stage === "done" ? [{ url: records.image(id) }] : [],
        detail: null
      }
    }
  },
  { method: "POST", path: /^\/arta\/text2image$/, respond: () => ({ record_id: records.submit() }) },
  {
    method: "POST",
    path: /^\/sign-up/,
    respond: () => {
      signUps++
      return credentials
    }
  },
  {
    method: "POST",
    path: /^\/token/,
    respond: () => ({ id_token: credentials.idToken, refresh_token: credentials.refreshToken, expires_in: "3600" })
  },
  { method: "GET", path: /^\/replicate\/predictions\/([^/]+)$/, respond: (id) => prediction(id, records.poll(id)) },
  {
    method: "POST",
    path: /^\/replicate\/models\/arta\/flux\/predictions$/,
    respond: () => prediction(records.submit(), "queued")
  },
  {
    method: "GET",
    path: /^\/fal\/arta\/flux\/requests\/([^/]+)\/status/,
    respond: (id) => ({ status: falStatus[records.poll(id)], request_id: id })
  },
  {
    method: "GET",
    path: /^\/fal\/arta\/flux\/requests\/([^/]+)$/,
    respond: (id) => ({ images: [{ url: records.image(id) }] })
  },
  {
    method: "POST",
    path: /^\/fal\/arta\/flux$/,
    respond: () => ({ status: "IN_QUEUE", request_id: records.submit(), queue_position: 0 })
  }
]

const respondTo = (request: IncomingMessage, response: ServerResponse): void => {
  requests++
  for (const { respond, method, path } of routes) {
    const match = method === request.method ? path.exec(request.url ?? "") : null
    if (match !== null) {
      const body = JSON.stringify(respond(match[1] ?? ""))
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
      response.end(body)
      return
    }
  }
  response.writeHead(404).end()
}

const server = createServer((request, response) => {
  request.resume().once("end", () => {
    respondTo(request, response)
  })
})

// Most services keep idle connections for about 60 seconds. Node's default is 5.
server.keepAliveTimeout = 60_000

server.listen({ port: 0, host: "127.0.0.1", backlog: 16_384 }, () => {
  process.send?.(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`)
})

process.on("message", () => process.send?.(counts()))
process.on("disconnect", () => process.exit())
