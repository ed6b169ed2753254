/** The header in which OpenAI's clients look for an id. Some record ids have characters that no header can contain. */
export const requestIdHeader = (recordId: string | undefined): Readonly<Record<string, string>> =>
  recordId !== undefined && /^[\x21-\x7e]+$/.test(recordId) ? { "x-request-id": recordId } : {}
