import type { Parsed } from "../commandLine/command.js"
import { inGroup, onOff, optional, optionalSwitch, withDefault } from "../commandLine/command.js"
import * as Value from "../commandLine/value.js"
import { serviceOptions } from "./options.js"

/** The options of `serve`. */
export const serverOptions = {
  ...inGroup("Server", {
    host: withDefault("host", Value.text("HOST"), "127.0.0.1", { summary: "The address to serve on" }),
    port: withDefault("port", Value.port, 8787, { summary: "The port to serve on. 0: a free one" }),
    key: optional("key", Value.secret("KEY"), {
      summary: "The key that clients send",
      byDefault: "ARTA_SERVER_KEY, or new"
    }),
    timeout: withDefault("timeout", Value.positive("SECONDS"), 270, {
      summary: "How long a generation may take"
    }),
    cors: optional("cors", Value.text("ORIGIN"), {
      summary: "The origins of web pages that may use it, or *",
      byDefault: "none"
    }),
    chat: onOff("chat", { summary: "Generate an image for each chat completion" }),
    ui: optionalSwitch("ui", {
      summary: "Serve a page that generates images",
      byDefault: "on this machine"
    })
  }),
  proxy: serviceOptions.proxy,
  emulator: serviceOptions.emulator
}

export type ServerOptions = Parsed<typeof serverOptions>
