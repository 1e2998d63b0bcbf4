// `node scripts/failures.js FILE`: each assertion that failed in a TAP log, with its file, its test and the lines
// around it. A test that failed only because of an assertion inside it is not named a second time.
import { readFileSync } from 'node:fs'

const BEFORE = 4
const AFTER = 20

const [, , file] = process.argv
if (!file) {
  console.error('Usage: node scripts/failures.js FILE')
  process.exit(2)
}
const lines = readFileSync(file, 'utf8').split('\n')
/** Names of the subtests that a line is in, by depth. */
const names = []
/** Whether a deeper assertion failed since a subtest of this depth began. */
const failedInside = []

for (const [number, line] of lines.entries()) {
  const depth = Math.ceil(/^ */.exec(line)[0].length / 4)
  const [, name] = /^ *# Subtest: (.*)$/.exec(line) ?? []
  if (name !== undefined) {
    names.length = depth
    names[depth] = name
    failedInside[depth] = false
  }
  if (!/^ *not ok /.test(line)) continue
  if (!failedInside[depth]) print(number, depth)
  failedInside[depth] = false
  for (let outer = 0; outer < depth; outer++) failedInside[outer] = true
}

function print (number, depth) {
  console.log(`\n== ${names.slice(0, depth).filter(Boolean).join(' > ')}, line ${number + 1} of the log`)
  console.log(lines.slice(Math.max(0, number - BEFORE), number + AFTER).join('\n'))
}
