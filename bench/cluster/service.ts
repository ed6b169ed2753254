// The image service in a process of its own: counts the submissions of each prompt.
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const [submitMillis = "0", drawMillis = "0"] = process.argv.slice(2)

const submissions = new Map<string, number>()
const acceptedAt: Array<number> = []

const text = (body: unknown) => JSON.stringify(body)
const credentials = text({ localId: "1", idToken: "a.b.c", refreshToken: "r", expiresIn: "36000" })

const respond = (url: string, body: string): readonly [text: string, delay: number] => {
  const status = /text2image\/(\d+)\/status/.exec(url)
  if (status !== null) {
    const isDone = Date.now() - (acceptedAt[Number(status[1])] ?? 0) >= Number(drawMillis)
    const response = isDone ? [{ url: "http://images.example/1.png" }] : []
    return [text({ record_id: status[1], status: isDone ? "DONE" : "IN_PROGRESS", response, detail: null }), 0]
  }
  if (!url.endsWith("/text2image")) return [credentials, 0]
  const prompt = /(row|plain) \d+/.exec(decodeURIComponent(body).replaceAll("+", " "))?.[0] ?? body
  submissions.set(prompt, (submissions.get(prompt) ?? 0) + 1)
  return [text({ record_id: String(acceptedAt.push(Date.now()) - 1) }), Number(submitMillis)]
}

const server = createServer((request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.once("end", () => {
    const [body, delay] = respond(request.url ?? "", Buffer.concat(chunks).toString())
    const send = () => response.writeHead(200, { "content-type": "application/json" }).end(body)
    if (delay === 0) send()
    else setTimeout(send, delay)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => {
  process.send?.(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`)
})
process.on("message", () => {
  const counts = [...submissions.values()]
  process.send?.({
    submissions: counts.reduce((sum, count) => sum + count, 0),
    prompts: counts.length,
    twice: counts.filter((count) => count > 1).length
  })
})
process.on("disconnect", () => process.exit())
