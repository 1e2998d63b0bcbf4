import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync, chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { auditLog } from '../services/audit/index.js'
import { endWith } from './children.js'
import { server } from './server-process.js'
import { testDirectory } from './test-directory.js'
import { until } from './until.js'

t.jobs = 4

/** The log as it ships, for the processes: as JavaScript it starts five times as fast. */
const built = join(dirname(server), 'services/audit/log.js')

interface Told { failed: boolean, code: string | undefined, dropped: number }

/** An audit log of this process, closed when the test ends, what it told, and the time of its next attempt. */
function open (t: Test, file: string) {
  const told: Told[] = []
  let next: { run: () => void, milliseconds: number } | undefined
  const log = auditLog({ file }, (failed, error, dropped) => {
    told.push({ failed, code: (error as NodeJS.ErrnoException | undefined)?.code, dropped })
  }, (run, milliseconds) => {
    if (next) throw new Error('two attempts wait')
    next = { run, milliseconds }
    return () => { next = undefined }
  })
  t.teardown(() => log.close())
  return {
    ...log,
    lost: () => log.lost,
    told,
    /** Lets the time of the next attempt come. @returns milliseconds that it was to wait */
    pass () {
      if (!next) throw new Error('no attempt waits')
      const { run, milliseconds } = next
      run()
      return milliseconds
    }
  }
}

/**
 * A process of its own with an audit log, `log`, and `print`, which is out before a kill. Where the log would wait, it
 * waits for one turn of the event loop. The process ends when nothing is left to do.
 */
function run (t: Test, destination: string, code: string, { limit = 'unlimited' } = {}) {
  const preamble = `
    import { writeSync } from 'node:fs'
    import { setImmediate as turn } from 'node:timers/promises'
    import { auditLog } from ${JSON.stringify(built)}
    const print = (text) => writeSync(2, text + '\\n')
    const tell = (failed, error, dropped) => print(['told', failed, error?.code, dropped].join(' '))
    const later = (run) => { const next = setImmediate(run); return () => clearImmediate(next) }
    const log = auditLog(${destination === 'stdout' ? "'stdout'" : JSON.stringify({ file: destination })}, tell, later)
    const write = (from, to) => { for (let i = from; i < to; i++) log.write({ i, text: 'é'.repeat(i % 100) }) }
    print('ready')
  `
  const shell = `ulimit -f ${limit}; exec "$@"`
  const node = [process.execPath, '--input-type=module', '-e', preamble + code]
  const child = spawn('bash', ['-c', shell, 'bash', ...node])
  endWith(t, child)
  let printed = ''
  child.stderr.on('data', (chunk) => { printed += chunk })
  const closed = once(child, 'close')
  return {
    child,
    printed: () => printed,
    async prints (text: string) {
      while (!printed.includes(text)) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended: ${printed}`)
        await Promise.race([once(child.stderr, 'data'), closed])
      }
    },
    ends: () => closed
  }
}

interface Line { i: number, process?: number }

/** The lines of a file. Throws where one is not whole. */
function linesOf (...files: string[]): Line[] {
  return files.flatMap((file) => {
    const lines = readFileSync(file, 'utf8').split('\n')
    if (lines.pop() !== '') throw new Error(`${file} does not end with a newline`)
    return lines.map((line) => JSON.parse(line) as Line)
  })
}

const numbers = (to: number, from = 0) => Array.from({ length: to - from }, (_, index) => from + index)
const numbersIn = (...files: string[]) => linesOf(...files).map(({ i }) => i)

t.test('a kill -9 right after a write loses no audit line', async (t) => {
  const folder = testDirectory(t)
  const [first, second] = [join(folder, 'a.log'), join(folder, 'b.log')]
  const itself = run(t, first, "write(0, 300); process.kill(process.pid, 'SIGKILL')")
  const endless = run(t, second, `
    for (let i = 0; ; i++) { write(i, i + 1); print('written ' + i + ';'); await turn() }
  `)
  await endless.prints('written 50;')
  endless.child.kill('SIGKILL')
  t.strictSame(await itself.ends(), [null, 'SIGKILL'])
  t.strictSame(numbersIn(first), numbers(300))
  await endless.ends()
  const acknowledged = Number(endless.printed().match(/written (\d+);\n$/)?.[1])
  // The kill may end a write between two pages of memory: then a part of one more line is there.
  const lines = readFileSync(second, 'utf8').split('\n')
  const part = lines.pop() ?? ''
  const lineOf = (i: number) => JSON.stringify({ i, text: 'é'.repeat(i % 100) })
  t.ok(lines.length > acknowledged, `${lines.length} lines, ${acknowledged} and those before were acknowledged`)
  t.strictSame(lines, numbers(lines.length).map(lineOf))
  t.ok(lineOf(lines.length).startsWith(part.replace(/\uFFFD$/, '')), `the next line, or a part of it: ${part}`)
})

t.test('several processes can write to one audit file: lines stay whole and in order', async (t) => {
  const file = join(testDirectory(t), 'audit.log')
  // Who opens the file while another writes a long line sees a part of it.
  const code = (process: number) => `for (let i = 0; i < 2500; i++) {
    log.write({ process: ${process}, i, text: 'x'.repeat(i % 25 === 0 ? 40_000 : i % 500) })
    if (i % 10 === 0) log.reopen()
    if (i % 100 === 0) await turn()
  }`
  const processes = numbers(4).map((process) => run(t, file, code(process)))
  for (const { ends } of processes) t.strictSame(await ends(), [0, null])
  const lines = linesOf(file)
  t.equal(lines.length, 10_000)
  for (const process of numbers(4)) {
    t.strictSame(lines.filter((line) => line.process === process).map(({ i }) => i), numbers(2500))
  }
})

t.test('after a rotation, SIGHUP opens a new audit file, and no line is lost', async (t) => {
  const folder = testDirectory(t)
  const file = join(folder, 'audit.log')
  const { child, prints, ends } = run(t, file, `
    let rotations = 0
    process.on('SIGHUP', () => { log.reopen(); print('rotation ' + ++rotations + ';') })
    process.on('SIGTERM', () => { log.close(); process.exit() })
    for (let i = 0; ; i++) { write(i, i + 1); await turn() }
  `)
  await prints('ready')
  const grows = (file: string, size = statSync(file).size) => until(() => statSync(file).size > size)
  for (const rotation of [1, 2, 3]) {
    await grows(file)
    renameSync(file, `${file}.${rotation}`)
    await grows(`${file}.${rotation}`)
    child.kill('SIGHUP')
    await prints(`rotation ${rotation};`)
    t.ok(existsSync(file), 'the new file is there at once')
  }
  child.kill('SIGTERM')
  t.strictSame(await ends(), [0, null])
  const files = [`${file}.1`, `${file}.2`, `${file}.3`, file]
  for (const old of files.slice(0, 3)) t.ok(numbersIn(old).length > 0)
  const found = numbersIn(...files)
  t.equal(found.findIndex((i, place) => i !== place), -1, `${found.length} lines, each in its place`)
})

t.test('only the owner may use the audit file and its folder, and lines are appended', (t) => {
  const folder = join(testDirectory(t), 'a', 'b')
  const file = join(folder, 'audit.log')
  const first = open(t, file)
  t.equal(statSync(file).mode & 0o777, 0o600, 'there from the start')
  for (const made of [folder, join(folder, '..')]) t.equal(statSync(made).mode & 0o777, 0o700)
  first.write({ i: 0 })
  first.close()
  const second = open(t, file)
  second.write({ i: 1 })
  second.close()
  second.write({ i: 2 })
  t.strictSame(numbersIn(file), [0, 1, 2], 'a line that comes after the end is written, too')
  t.strictSame([...first.told, ...second.told], [])
  t.end()
})

t.test('an audit file or folder that was deleted is created again', (t) => {
  const folder = join(testDirectory(t), 'logs')
  const file = join(folder, 'audit.log')
  const { write, told } = open(t, file)
  write({ i: 0 })
  unlinkSync(file)
  write({ i: 1 })
  t.strictSame(numbersIn(file), [1])
  rmSync(folder, { recursive: true })
  write({ i: 2 })
  t.strictSame(numbersIn(file), [2])
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.strictSame(told, [])
  t.end()
})

t.test('an audit file that cannot be opened is reported at once and tried again every second', async (t) => {
  const folder = testDirectory(t, { logs: 'a file, not a folder' })
  const file = join(folder, 'logs', 'audit.log')
  const { write, told, pass } = open(t, file)
  t.match(told, [{ failed: true, code: /^(ENOTDIR|EEXIST)$/, dropped: 0 }])
  for (const i of numbers(1200)) write({ i })
  t.equal(pass(), 1000)
  t.equal(told.length, 1, 'in vain, which is no news')
  unlinkSync(join(folder, 'logs'))
  t.equal(pass(), 1000)
  t.strictSame([pass(), pass()], [0, 0], 'what waits is written in slices, other work in between')
  write({ i: 1200 })
  t.strictSame(told.slice(1), [{ failed: false, code: undefined, dropped: 0 }])
  t.strictSame(numbersIn(file), numbers(1201))
})

t.test('new audit lines are written after those that still wait', async (t) => {
  const folder = testDirectory(t, { logs: '' })
  const file = join(folder, 'logs', 'audit.log')
  const { write, reopen, told, pass } = open(t, file)
  for (const i of numbers(1300)) write({ i })
  unlinkSync(join(folder, 'logs'))
  reopen()
  t.strictSame(numbersIn(file), numbers(500), 'a slice at once')
  write({ i: 1300 })
  t.equal(linesOf(file).length, 500)
  while (told.length === 1) pass()
  t.strictSame(numbersIn(file), numbers(1301))
})

/** A file on a disk that is full, until its folder is unlinked. */
function fullDisk (t: Test) {
  const folder = join(testDirectory(t), 'disk')
  symlinkSync('/dev', folder)
  return { folder, file: join(folder, 'full') }
}

t.test('a symbolic link is not followed, and others lose access to an existing audit file', (t) => {
  const folder = testDirectory(t, { 'elsewhere.log': '', 'open.log': '' })
  const [file, elsewhere, shared] = ['audit.log', 'elsewhere.log', 'open.log']
    .map((name) => join(folder, name)) as [string, string, string]
  symlinkSync(elsewhere, file)
  const linked = open(t, file)
  linked.write({ i: 0 })
  t.strictSame(linked.told, [{ failed: true, code: 'ELOOP', dropped: 0 }])
  t.equal(readFileSync(elsewhere, 'utf8'), '')
  chmodSync(shared, 0o666)
  open(t, shared).write({ i: 0 })
  t.equal(statSync(shared).mode & 0o777, 0o640, 'its group may still ship it')
  t.strictSame(numbersIn(shared), [0])
  t.end()
})

t.test('while the disk is full, the oldest 10,000 audit lines are kept, and the others counted', async (t) => {
  const { folder, file } = fullDisk(t)
  const { write, reopen, told, lost, pass } = open(t, file)
  t.strictSame(told, [], 'it can be opened')
  for (const i of numbers(10_200)) write({ i })
  const [full, losing] = [{ failed: true, code: 'ENOSPC', dropped: 0 }, { failed: true, code: 'ENOSPC', dropped: 1 }]
  t.strictSame(told, [full, losing])
  t.equal(pass(), 1000, 'one attempt waits, and none was made for each line')
  t.equal(pass(), 1000)
  t.strictSame(told, [full, losing], 'that it still fails is no news')
  t.equal(lost(), 200)

  unlinkSync(folder)
  reopen()
  while (told.length === 2) pass()
  t.strictSame(told[2], { failed: false, code: undefined, dropped: 200 })
  t.strictSame(numbersIn(file), numbers(10_000))
  write({ i: 10_000 })
  t.strictSame(numbersIn(file), numbers(10_001))

  rmSync(folder, { recursive: true })
  symlinkSync('/dev', folder)
  reopen()
  for (const i of numbers(3)) write({ i })
  t.strictSame(told[3], full, 'the next time is told of anew')
})

t.test('audit lines that cannot be written before the end are reported', (t) => {
  const { file } = fullDisk(t)
  const { write, close, told } = open(t, file)
  for (const i of numbers(3)) write({ i })
  close()
  t.match(told, [{ failed: true, dropped: 0 }, { failed: true, code: 'ENOSPC', dropped: 3 }])
  t.end()
})

t.test('no more than 16 MiB of audit lines wait', (t) => {
  const { file } = fullDisk(t)
  const { write, close, told, lost } = open(t, file)
  const text = 'x'.repeat(1024 * 1024)
  for (const i of numbers(20)) write({ i, text })
  close()
  t.strictSame(told.at(-1)?.dropped, 20)
  t.strictSame(told.length, 3)
  t.equal(lost(), 20)
  write({ text })
  write({ text })
  t.equal(lost(), 20, 'there is room again')
  t.end()
})

t.test('an audit line that was written only in part is written again in full, on a line of its own', async (t) => {
  const folder = testDirectory(t)
  const file = join(folder, 'audit.log')
  // A limit on the size of files, in KiB, takes what fits and refuses the rest, as a disk does that is full.
  const { prints, child, ends } = run(t, file, `
    process.on('SIGHUP', () => { log.reopen(); print('reopened') })
    process.stdin.resume()
    write(0, 40)
  `, { limit: '2' })
  await prints('told true EFBIG 0')
  const broken = readFileSync(file, 'utf8')
  t.equal(statSync(file).size, 2048)
  t.not(broken.at(-1), '\n')

  const other = open(t, file)
  other.write({ i: -1 })
  t.match(readFileSync(file, 'utf8'), `${broken}\n{"i":-1}\n`, 'also by another process')
  renameSync(file, `${file}.1`)
  child.kill('SIGHUP')
  await prints('reopened')
  child.kill('SIGKILL')
  await ends()
  const whole = broken.split('\n').slice(0, -1).map((line) => (JSON.parse(line) as Line).i)
  t.strictSame([...whole, ...numbersIn(file)], numbers(40))
})

t.test('audit lines that wait are written when the process exits', async (t) => {
  const folder = testDirectory(t, { logs: '' })
  const file = join(folder, 'logs', 'audit.log')
  const { printed, ends } = run(t, file, `
    import { unlinkSync } from 'node:fs'
    write(0, 2000)
    unlinkSync(${JSON.stringify(join(folder, 'logs'))})
    process.exit(3)
  `)
  t.strictSame(await ends(), [3, null])
  t.match(printed(), 'told false')
  t.strictSame(numbersIn(file), numbers(2000))
})

t.test('a slow reader of standard output gets every audit line in full', async (t) => {
  // What process.stdout was asked for may not block any more: when it is full, a write does a part, and the next fails.
  const { child, prints, printed, ends } = run(t, 'stdout', `
    process.stdout.on('error', () => {})
    for (let i = 0; i < 10; i++) log.write({ i, text: 'x'.repeat(150_000) })
    print('written')
    process.stdin.resume()
  `)
  await prints('written')
  let output = ''
  child.stdout.on('data', (chunk) => { output += chunk })
  await prints('told false')
  child.stdin.end()
  await ends()
  t.match(printed(), /told true EAGAIN 0\nwritten\ntold false/)
  const lines = output.split('\n').filter((line) => line !== '')
  const whole = lines.filter((line) => line.endsWith('}')).map((line) => (JSON.parse(line) as Line).i)
  t.ok(lines.length > whole.length, 'the part stays')
  t.strictSame(whole, numbers(10), 'and is followed by the whole')
})

t.test('after an incomplete last line, the next audit line begins on a new line', (t) => {
  const file = join(testDirectory(t), 'audit.log')
  writeFileSync(file, '{"i":0}\n{"i":')
  const { write, reopen } = open(t, file)
  write({ i: 1 })
  t.equal(readFileSync(file, 'utf8'), '{"i":0}\n{"i":\n{"i":1}\n')
  appendFileSync(file, 'x')
  reopen()
  write({ i: 2 })
  t.match(readFileSync(file, 'utf8'), /\nx\n\{"i":2\}\n$/)
  t.end()
})
