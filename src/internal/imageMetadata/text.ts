// XML 1.0 cannot contain these, and PNG allows none but the line feed. Lone surrogates are no text in any encoding.
const notText = /(?![\n\t])\p{Cc}|[\p{Cs}\ufffe\uffff]/gu

/** Replaces what text in a file cannot contain, and writes every line break as a line feed. */
export const clean = (text: string): string => text.replace(/\r\n?/g, "\n").replace(notText, "\ufffd")

/** Cuts a text to so many UTF-16 code units, between characters. */
export const cut = (text: string, maxLength: number): string =>
  text.length <= maxLength ? text : `${text.slice(0, Math.max(0, maxLength - 1)).replace(/\p{Cs}$/u, "")}…`
