import { randomInt } from 'node:crypto'
import type { Version } from './store.js'

/**
 * Drawn by lot rather than counted: a count would begin anew when a record is forgotten and claimed again, and whoever
 * still held the former would change the latter.
 */
export const newVersion = (): Version => randomInt(1, 2 ** 48 - 1)
