export interface ConfigurationFault {
  /** JSON pointer into the configuration file, `/accounts/demo/token`; empty for the file as a whole. */
  pointer: string
  /** What was expected there. Never the value: it may be a secret. */
  message: string
}

/** The configuration cannot be used. The message lists every fault, by JSON pointer. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'

  constructor (readonly source: string, readonly faults: ConfigurationFault[]) {
    const lines = faults.map(({ pointer, message }) => `  ${pointer && `${pointer} `}${message}`)
    super([`${source} cannot be used:`, ...lines].join('\n'))
  }
}
