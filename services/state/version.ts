import { randomInt } from 'node:crypto'
import type { Version } from './state.js'

/**
 * Drawn at random rather than counted: a count would begin anew when a record is removed and claimed again, and whoever
 * still held the former would change the latter.
 */
export const newVersion = (): Version => randomInt(1, 2 ** 48 - 1)
