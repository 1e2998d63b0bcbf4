import { setTimeout as sleep } from 'node:timers/promises'

/** A few milliseconds. */
export const moment = () => sleep(5)

/**
 * Waits until something holds, looking every few milliseconds. There is no limit but the file's own (`.taprc`): on a
 * busy machine everything takes longer, and a test that gives up early fails for no fault.
 *
 * @param pass waits between two looks: for a virtual clock, its own sleep
 */
export async function until (holds: () => unknown, pass: () => Promise<unknown> = moment): Promise<void> {
  while (!await holds()) await pass()
}
