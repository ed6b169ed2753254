// The image service in a process of its own: counts the submissions of each prompt.
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const submissions = new Map<string, number>()
let accepted = 0

const text = (body: unknown) => JSON.stringify(body)
const credentials = text({ localId: "1", idToken: "a.b.c", refreshToken: "r", expiresIn: "36000" })

const respond = (url: string, body: string) => {
  const status = /text2image\/(\d+)\/status/.exec(url)
  if (status !== null) {
    const response = [{ url: "http://images.example/1.png" }]
    return text({ record_id: status[1], status: "DONE", response, detail: null })
  }
  if (!url.endsWith("/text2image")) return credentials
  const prompt = /(row|plain) \d+/.exec(decodeURIComponent(body).replaceAll("+", " "))?.[0] ?? body
  submissions.set(prompt, (submissions.get(prompt) ?? 0) + 1)
  accepted += 1
  return text({ record_id: String(accepted) })
}

const server = createServer((request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.once("end", () => {
    const body = respond(request.url ?? "", Buffer.concat(chunks).toString())
    response.writeHead(200, { "content-type": "application/json" }).end(body)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => {
  process.send?.(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`)
})
process.on("message", () => {
  process.send?.({ twice: [...submissions.values()].filter((count) => count > 1).length })
})
process.on("disconnect", () => process.exit())
