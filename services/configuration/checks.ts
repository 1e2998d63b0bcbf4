import ipaddr from 'ipaddr.js'
import { KEY_BYTES } from '../access/forms.js'
import { isLoopback } from './listen-address.js'

/** Keys that are published in examples. */
const EXAMPLE_KEYS = ['change-me-to-a-long-random-key', '1234567890123456', 'xxxxxxxxxxxxxxxxxxxx']

/** The token is sent to the endpoint, so it must be https, except on loopback. @throws {TypeError} when it is not */
export function checkEndpoint (endpoint: string): string {
  if (!URL.canParse(endpoint)) throw new TypeError('must be a URL')
  const { protocol, hostname, username, password, search, hash } = new URL(endpoint)
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, '')))) {
    throw new TypeError('must be https, except for loopback hosts')
  }
  if (username || password || search || hash) throw new TypeError('must have no user, password, query or fragment')
  return endpoint
}

/** The URL of one Redis. Its query would change how this server talks to it. @throws {TypeError} when it is none */
export function checkRedis (url: string): string {
  if (/^rediss?[+-](?:sentinel|cluster|socket|unix)/i.test(url) || /^rediss?:\/\/[^/?#]*,/i.test(url)) {
    throw new TypeError('must name one Redis: Sentinel, Cluster and sockets are not supported. Name an address that ' +
      'always leads to the primary, such as a service, a proxy or the endpoint of a managed Redis')
  }
  const { protocol, hostname, username, password, pathname, search, hash } =
    URL.canParse(url) ? new URL(url) : {} as Partial<URL>
  if (!hostname || !/^rediss?:$/.test(protocol ?? '') || /%(?![\dA-Fa-f]{2})/.test(`${username} ${password}`)) {
    throw new TypeError('must be redis://HOST:PORT or rediss://HOST:PORT, with the password percent-encoded')
  }
  if (search || hash) throw new TypeError('must have no query or fragment')
  if (!/^(?:\/\d*)?$/.test(pathname ?? '')) {
    throw new TypeError('must have nothing after the host except the number of a database')
  }
  return url
}

/** An address or a network. If all were trusted, callers could choose theirs. @throws {TypeError} when it is neither */
export function checkProxy (proxy: string): string {
  const network = proxy.includes('/') ? proxy : `${proxy}/32`
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(network) && !ipaddr.IPv6.isValidCIDR(network)) {
    throw new TypeError('must be an address or a network such as 10.0.0.0/8')
  }
  if (ipaddr.parseCIDR(network)[1] === 0) throw new TypeError('must not be every address')
  return proxy
}

/** An origin just as browsers write it: they are compared letter by letter. @throws {TypeError} when it is none */
export function checkOrigin (origin: string): string {
  const { origin: own, protocol = '' } = URL.canParse(origin) ? new URL(origin) : {} as Partial<URL>
  if (own === origin && /^https?:$/.test(protocol)) return origin
  const meant = own && /^https?:$/.test(protocol) ? `, as in ${own}` : ', such as https://portal.example.org'
  throw new TypeError(`must be scheme, host and, unless it is the usual one, port${meant}`)
}

/** @throws {TypeError} when a pre-shared key is too short, too long or published */
export function checkKey (key: string): string {
  const bytes = Buffer.byteLength(key)
  const { fewest, most } = KEY_BYTES
  if (EXAMPLE_KEYS.includes(key)) throw new TypeError('is an example key that everybody can read')
  if (bytes < fewest || bytes > most) throw new TypeError(`must have ${fewest} to ${most} bytes (it has ${bytes})`)
  return key
}

/** Spot's token is sent in a header, which cannot contain line ends. @throws {TypeError} when it has some */
export function checkToken (token: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError('must be one line of visible ASCII characters, without spaces')
  return token
}
