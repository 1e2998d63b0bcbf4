import { isDeepStrictEqual } from 'node:util'
import type { Configuration } from './configuration.js'
import type { Setting } from './setting.js'
import { settings } from './settings.js'

const rows = Object.entries(settings as Record<string, Setting>).map(([name, { property, live = false }]) => {
  const [outer = ''] = name.split('.')
  return { name: outer, property: property ?? outer as keyof Configuration, live }
})

/** What a reload replaces at once. */
export const livePartsOf = (configuration: Configuration): Partial<Configuration> =>
  Object.fromEntries(rows.filter(({ live }) => live).map(({ property }) => [property, configuration[property]]))

/** Names of the settings that differ from those the server started with and wait for a restart. */
export const waitingSettings = (started: Configuration, next: Configuration): string[] => [...new Set(rows
  .filter(({ property, live }) => !live && !isDeepStrictEqual(started[property], next[property]))
  .map(({ name }) => name))]
