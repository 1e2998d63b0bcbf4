import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

/** Wrong tokens that are checked for callers of one network, and milliseconds since the first of them. */
const MOST = { failures: 20, time: 60_000 }

/** Characters of what a proxy reports that is no address. */
const LONGEST_ADDRESS = 64

/** Networks whose failures are counted. */
const NETWORKS = 10_000

export interface Failures {
  /** Failures that count for callers at this address now. */
  of (address: string): number
  /** Seconds until callers at this address may have a new token checked; 0 when they may now. */
  secondsLeft (address: string): number
  /**
   * Counts a failure before it is known to be one, so that many checks at once are not free.
   *
   * @returns takes it back, for a token that is right
   */
  expect (address: string): () => void
}

/**
 * Counts the failures of each network.
 *
 * @param clock milliseconds, never set back
 */
export function failureLimit (most = MOST, clock: { now (): number } = performance): Failures {
  const counts = new LRUCache<string, { failures: number }>({
    max: NETWORKS, ttl: most.time, ttlResolution: 0, noUpdateTTL: true, perf: clock
  })
  const of = (address: string) => counts.get(networkOf(address))?.failures ?? 0
  return {
    of,
    secondsLeft (address) {
      if (of(address) < most.failures) return 0
      return Math.max(1, Math.ceil(counts.getRemainingTTL(networkOf(address)) / 1000))
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
 * The network of an address: an IPv4 address is one caller, an IPv6 address counts as its /64 (RFC 6177). A proxy may
 * report anything: what is not an address is a caller of its own, so that it takes nothing from the others.
 */
export function networkOf (reported: string): string {
  const address = withoutPort(reported)
  if (!ipaddr.isValid(address)) return `unknown ${reported.slice(0, LONGEST_ADDRESS)}`
  const parsed = ipaddr.process(address)
  return 'parts' in parsed ? parsed.parts.slice(0, 4).join(':') : parsed.toString()
}

/** An address as some proxies report it, without its port: `192.0.2.1:443`, `[2001:db8::1]:443`. */
export function withoutPort (address: string): string {
  const [, v4, v6] = /^(?:(\d+(?:\.\d+){3})(?::\d+)?|\[([^\]]+)\](?::\d+)?)$/.exec(address.trim()) ?? []
  return v4 ?? v6 ?? address
}
