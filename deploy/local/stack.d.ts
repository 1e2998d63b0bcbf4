import type { Fault, RecordedCall, SandboxOptions } from '../../sandbox/index.js'

export interface StackOptions {
  port?: number
  settings?: object
  sandbox?: Pick<SandboxOptions, 'seed' | 'rateLimit'>
  say?: (line: string) => void
}

export interface Part {
  name: string
  pid: number | undefined
}

export interface Stack {
  url: string
  /** The directory that is gone in the end. */
  home: string
  parts: Part[]
  key: string
  /** The value for `X-Auth-Token` that is made of the key. */
  token: string
  /** The one account of the simulated Spot, `demo` in the configuration. */
  account: { id: string, token: string, endpoint: string }
  restart (nth: number): Promise<number | NodeJS.Signals>
  kill (nth: number): Promise<void>
  stopRedis (signal?: NodeJS.Signals): Promise<unknown>
  startRedis (): Promise<void>
  transcript (): Promise<RecordedCall[]>
  inject (fault: Fault): Promise<unknown>
  end (): Promise<void>
}

export function missing (): string[]
export function startStack (options?: StackOptions): Promise<Stack>
