import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

/** Wrong tokens that callers of one network may have checked within a time (milliseconds) from the first of them. */
const MOST = { failures: 20, time: 60_000 }

/** Networks whose failures are counted. */
const NETWORKS = 10_000

export interface Failures {
  /** Seconds until callers at this address may have a new token checked; 0 when they may now. */
  secondsLeft (address: string): number
  /**
   * Counts a failure before it is known to be one, so that many checks at once are not free.
   *
   * @returns what takes it back, for a token that was found right
   */
  expect (address: string): () => void
}

/**
 * Counts the failures of each network.
 *
 * @param clock tells the time in milliseconds, and is never set back
 */
export function failureLimit (most = MOST, clock: { now (): number } = performance): Failures {
  const counts = new LRUCache<string, { failures: number }>({
    max: NETWORKS, ttl: most.time, ttlResolution: 0, noUpdateTTL: true, perf: clock
  })
  return {
    secondsLeft (address) {
      const network = networkOf(address)
      const { failures } = counts.get(network) ?? { failures: 0 }
      return failures < most.failures ? 0 : Math.max(1, Math.ceil(counts.getRemainingTTL(network) / 1000))
    },
    expect (address) {
      const network = networkOf(address)
      const count = counts.get(network) ?? { failures: 0 }
      count.failures++
      counts.set(network, count)
      return () => { count.failures-- }
    }
  }
}

/**
 * Whom an address belongs to: an IPv4 address to one caller, an IPv6 one to whoever has the whole /64 (RFC 6177). What
 * is no address, since a proxy may report anything, counts as one caller: memory stays bounded.
 */
export function networkOf (address: string): string {
  if (!ipaddr.isValid(address)) return 'unknown'
  const parsed = ipaddr.process(address)
  return 'parts' in parsed ? parsed.parts.slice(0, 4).join(':') : parsed.toString()
}
