// An image service that costs little processor time. It counts the submissions of each prompt.
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Question, UpstreamCounts } from "./measures.js"

const [, , drawMillis = "0"] = process.argv

interface Record {
  readonly prompt: string
  readonly doneAt: number
  polledAt: number
}

const records: Array<Record> = []
const submissionsByPrompt = new Map<string, number>()
let images = 0
let firstSubmissionAt = 0
let lastImageAt = 0
let markedAt = 0
let openAtMark: ReadonlyArray<Record> = []

// A complete image of one pixel.
const image = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64"
)

const credentials = {
  localId: "1",
  idToken: `${"x".repeat(900)}.y.z`,
  refreshToken: "r".repeat(200),
  expiresIn: "3600"
}

const submit = (prompt: string) => {
  submissionsByPrompt.set(prompt, (submissionsByPrompt.get(prompt) ?? 0) + 1)
  if (records.length === 0) firstSubmissionAt = Date.now()
  records.push({ prompt, doneAt: Date.now() + Number(drawMillis), polledAt: 0 })
  return { record_id: `record-${String(records.length - 1)}` }
}

const status = (id: string, origin: string) => {
  const record = records[Number(id)]
  if (record === undefined) return { status: "FAILED", response: [], detail: "unknown record" }
  record.polledAt = Date.now()
  return record.polledAt < record.doneAt
    ? { status: "IN_PROGRESS", response: [] }
    : { status: "DONE", response: [{ url: `${origin}/images/${id}.png` }] }
}

const respondTo = (request: IncomingMessage, body: string, response: ServerResponse) => {
  const { headers, url = "" } = request
  const [, polled] = /\/text2image\/record-(\d+)\/status$/.exec(url) ?? []
  if (url.startsWith("/images/")) {
    images += 1
    lastImageAt = Date.now()
    response.writeHead(200, { "content-type": "image/png", "content-length": image.length }).end(image)
    return
  }
  const json = JSON.stringify(
    polled !== undefined
      ? status(polled, `http://${headers.host ?? ""}`)
      : url.endsWith("/text2image")
        ? submit(new URLSearchParams(body).get("prompt") ?? "")
        : credentials
  )
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(json) }).end(json)
}

const server = createServer((request, response) => {
  let body = ""
  request.on("data", (chunk: Buffer) => {
    body += chunk.toString()
  })
  request.once("end", () => {
    respondTo(request, body, response)
  })
})
server.keepAliveTimeout = 60_000
server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
  process.send?.(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`)
})

const counts = (): UpstreamCounts => ({
  submissions: records.length,
  repeated: [...submissionsByPrompt.values()].reduce((sum, times) => sum + times - 1, 0),
  images,
  activeMillis: lastImageAt - firstSubmissionAt,
  polled: records.filter(({ polledAt }) => polledAt > 0).length,
  resumed: openAtMark.filter(({ polledAt }) => polledAt > markedAt).length,
  resumedAfter: Math.max(0, ...openAtMark.map(({ polledAt }) => polledAt - markedAt))
})

process.on("message", (question: Question) => {
  if (question === "mark") {
    markedAt = Date.now()
    openAtMark = records.filter(({ doneAt }) => doneAt > markedAt)
  }
  process.send?.(counts())
})
process.on("disconnect", () => process.exit())
