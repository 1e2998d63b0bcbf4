import ipaddr from 'ipaddr.js'
import { withoutPort } from './failures.js'

/**
 * Whether what an address reports of the one before it is believed.
 *
 * @param proxies addresses or networks
 * @returns false where there are none
 */
export function trusting (proxies: readonly string[]): false | ((address: string) => boolean) {
  if (proxies.length === 0) return false
  const networks = proxies.map((proxy) => {
    const [address = '', bits] = proxy.split('/')
    const parsed = ipaddr.process(address)
    const most = parsed.toByteArray().length * 8
    // An IPv4 network may be written as a part of ::ffff:0:0/96.
    const before = ipaddr.parse(address).toByteArray().length * 8 - most
    return { parsed, bits: bits === undefined ? most : Number(bits) - before }
  })
  return (reported) => {
    const address = withoutPort(reported)
    if (!ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    return networks.some((network) => network.parsed.kind() === parsed.kind() &&
      parsed.match(network.parsed as never, network.bits))
  }
}
