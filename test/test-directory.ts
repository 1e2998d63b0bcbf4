import type { Test } from 'tap'

/**
 * A directory with these files in it, removed when the test has ended and torn down what it began. tap sees to that
 * order only where there is something to tear down by now; else it removes a directory that is still written to.
 */
export function testDirectory (t: Test, content: Parameters<Test['testdir']>[0] = {}): string {
  t.teardown(() => {})
  return t.testdir(content)
}
