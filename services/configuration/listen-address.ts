/** `host:port`, `:port` (every address) or `[address]:port`. @throws {TypeError} when it is none of them */
export function listenAddressOf (text: string): { host: string, port: number } {
  const [, bracketed, host, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  if (port === undefined || Number(port) > 65_535) throw new TypeError('must be HOST:PORT or :PORT')
  return { host: bracketed ?? (host || '0.0.0.0'), port: Number(port) }
}

/** Whether only this machine reaches a host, going by its name. */
export function isLoopback (host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host)
}
