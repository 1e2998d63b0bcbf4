import type { Clock } from '../clock.js'
import { InvalidJson } from '../control/check.js'
import type { World } from '../world.js'
import { readState, removeDrafts, StateFile, unusable } from './file.js'
import { restore, takeSnapshot } from './snapshot.js'

interface Parts {
  world: World
  clock: Clock
  /** Makes the world what it is without a file. */
  reset: () => void
}

/**
 * Reads the world from a file, or makes a new one if there is none, and keeps it there from now on.
 * @throws StateError if the file cannot be used or written
 */
export async function openState (path: string, { world, clock, reset }: Parts): Promise<StateFile> {
  const saved = await readState(path)
  if (saved === undefined) reset()
  else {
    await restore(world, clock, saved).catch((error: Error) => {
      throw error instanceof InvalidJson ? unusable(path, error.message) : error
    })
  }
  const state = new StateFile(path, () => takeSnapshot(world, clock.now()))
  await state.save()
  await removeDrafts(path)
  return state
}
