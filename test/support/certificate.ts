import { createSign, generateKeyPairSync } from "node:crypto"

const der = (tag: number, ...contents: ReadonlyArray<Buffer>): Buffer => {
  const content = Buffer.concat(contents)
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

const sequence = (...items: ReadonlyArray<Buffer>) => der(0x30, ...items)
const text = (tag: number, value: string) => der(tag, Buffer.from(value))

const ecdsaWithSha256 = sequence(der(0x06, Buffer.from("2a8648ce3d040302", "hex")))
const commonName = der(0x06, Buffer.from("550403", "hex"))
const localhost = sequence(der(0x31, sequence(commonName, text(0x0c, "localhost"))))
const validity = sequence(text(0x18, "20200101000000Z"), text(0x18, "21200101000000Z"))

/** A new self-signed certificate for localhost, and its key. */
export const selfSigned = (): { readonly key: string; readonly cert: string } => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const spki = publicKey.export({ type: "spki", format: "der" })
  const body = sequence(der(0x02, Buffer.from([1])), ecdsaWithSha256, localhost, validity, localhost, spki)
  const signature = createSign("sha256").update(body).sign(privateKey)
  const certificate = sequence(body, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature))
  const lines = certificate.toString("base64").replace(/.{64}/g, "$&\n")
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
  }
}
