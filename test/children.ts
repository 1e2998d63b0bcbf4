import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'

/**
 * Has a process killed when the test ends, and waits until it and its children are gone: a directory it writes in
 * cannot be removed before.
 */
export function endWith (t: Test, child: ChildProcess): void {
  const closed = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await closed
  })
}
