import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits until something holds, looking every few milliseconds. There is no limit but the file's own (`.taprc`): on a
 * busy machine everything takes longer, and a test that gives up early fails for no fault.
 */
export async function until (holds: () => unknown): Promise<void> {
  while (!await holds()) await sleep(5)
}
