import { randomInt } from 'node:crypto'
import type { Version } from './state.js'

/**
 * Random, not counted: a count would start again when a record is removed and claimed again, and whoever still held the
 * old version could change the new record.
 */
export const newVersion = (): Version => randomInt(1, 2 ** 48 - 1)
