import type { ConfigurationFile, Settings } from './configuration.js'
import type { Setting } from './setting.js'
import { accountSettings, settings } from './settings.js'

/** What a file says, and the default of whatever it does not say. */
export function withDefaults (file: ConfigurationFile): Settings {
  const accounts = Object.entries(file.accounts ?? {})
    .map(([name, account]) => [name, filled(account, accountSettings)])
  return { ...filled(file, settings), accounts: Object.fromEntries(accounts) } as Settings
}

function filled (given: object, table: Record<string, Setting>): object {
  const all: Record<string, unknown> = { ...given }
  for (const [name, { default: value }] of Object.entries(table)) {
    const [outer = '', inner] = name.split('.')
    if (value === undefined) continue
    all[outer] = inner === undefined ? all[outer] ?? value : { [inner]: value, ...all[outer] as object | undefined }
  }
  return all
}
