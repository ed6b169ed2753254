import { clean, cut } from "./text.js"

const trainedAlgorithmicMedia = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

// Even if each character is escaped, the packet stays below the 65502 bytes that a JPEG has room for.
const longestDescription = 10_000

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" }

/** Text as the content of an XML element. */
const escape = (text: string): string => text.replace(/[&<>]/g, (character) => entities[character] ?? character)

const description = (prompt: string): string =>
  `<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escape(prompt)}</rdf:li></rdf:Alt></dc:description>`

/**
 * An XMP packet. It says that a model generated the image, as IPTC defines that, and describes the image by its prompt,
 * if that is known.
 */
export const xmpPacket = (prompt: string | undefined): Uint8Array =>
  new TextEncoder().encode(
    [
      `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>`,
      `<x:xmpmeta xmlns:x="adobe:ns:meta/">`,
      `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">`,
      `<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"`,
      ` xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">`,
      `<Iptc4xmpExt:DigitalSourceType>${trainedAlgorithmicMedia}</Iptc4xmpExt:DigitalSourceType>`,
      prompt === undefined ? "" : description(cut(clean(prompt), longestDescription)),
      `</rdf:Description></rdf:RDF></x:xmpmeta>`,
      `<?xpacket end="w"?>`
    ].join("")
  )

/** Whether a file's own packet points to a C2PA manifest elsewhere, which is valid only for the unchanged file. */
export const refersToManifest = (packet: Uint8Array): boolean =>
  new TextDecoder("latin1").decode(packet).includes("dcterms:provenance")
