const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The text of bytes, without a byte order mark; undefined if they are not UTF-8. Other bytes would become others. */
export function textOf (bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
