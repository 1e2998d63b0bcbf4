import type { Configuration } from './configuration.js'

/** Every secret that is configured: tokens of accounts, keys of clients, the URL of a Redis and its password. */
export function secretsOf ({ accounts, clients, state }: Configuration): string[] {
  const redis = 'redis' in state ? [state.redis, decodeURIComponent(new URL(state.redis).password)] : []
  return [...Object.values(accounts).map(({ token }) => token), ...clients.flatMap(({ keys }) => keys), ...redis]
}
