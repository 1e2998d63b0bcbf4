import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { endWith } from './children.js'
import { testDirectory } from './test-directory.js'
import { until } from './until.js'

/* `npm run fuzz`, with a Python that installs nothing, and a fuzzer that only says what it was started with. */

/** `python3 -m venv FOLDER` makes one with a `python` that can do nothing, and the fuzzer. */
const PYTHON = `#!/bin/sh
mkdir -p "$3/bin"
cp "$0" "$3/bin/schemathesis"
cat > "$3/bin/python" <<'END'
#!/bin/sh
exit "$INSTALLS"
END
cat > "$3/bin/schemathesis" <<'END'
#!/bin/sh
echo "$0" "$@" .
eval "$FUZZ"
END
chmod +x "$3"/bin/*
`

/** @param does what the fuzzer does, in the shell; none: there is no Python */
function fuzz (t: Test, words: string[], does?: string, installs = 0) {
  const { NODE_OPTIONS, PATH = '', ...rest } = process.env
  const folder = testDirectory(t, does === undefined ? {} : { python3: PYTHON })
  if (does !== undefined) chmodSync(join(folder, 'python3'), 0o755)
  const path = does === undefined ? folder : `${folder}:${PATH}`
  const env = { ...rest, PATH: path, FUZZ: does, INSTALLS: String(installs) }
  const child = spawn(process.execPath, [join(import.meta.dirname, '../scripts/fuzz.js'), ...words], { env })
  endWith(t, child)
  let output = ''
  child.stdout.on('data', (chunk) => { output += chunk })
  const errors = text(child.stderr)
  const closed = once(child, 'close')
  return {
    child,
    output: () => output,
    async ends () {
      const [code] = await closed
      return { code: code as number, output, errors: await errors }
    }
  }
}

t.test('it says what it can do, and what it cannot', async (t) => {
  t.match(await fuzz(t, ['--help']).ends(), { code: 0, output: /--seconds N.*--seed N/s })
  t.match(await fuzz(t, ['--seconds', '1.5']).ends(), { code: 2, errors: /--seconds must be a whole number/ })
  t.match(await fuzz(t, ['--fast']).ends(), { code: 2, errors: /--fast/ })
  t.match(await fuzz(t, []).ends(), { code: 0, output: /^skipped: there is no Python 3 with venv$/m })
  t.match(await fuzz(t, [], '', 1).ends(), { code: 0, output: /^skipped: schemathesis==\S+ cannot be installed$/m })
})

t.test('its exit code is that of the fuzzer', async (t) => {
  const { code, output } = await fuzz(t, ['--seconds', '7', '--seed', '8'], 'exit 1').ends()
  t.equal(code, 1)
  t.match(output, /--checks all .*stateful --max-time 7 --seed 8 /)
  t.match(output, /^0 requests; 0 unexpected errors in the log$/m)
})

t.test('it fuzzes a server that works, and Ctrl-C ends all of it', async (t) => {
  const { child, output, ends } = fuzz(t, [], 'sleep 1000')
  await until(() => output().endsWith(' .\n') || child.exitCode !== null)
  const [, command = '', url = '', token = ''] =
    /^(\S+).* run (\S+)\/v1\/spot\/openapi\.json --header X-Auth-Token:(\S+)/m.exec(output()) ?? []
  const groups = await fetch(`${url}/v1/spot/demo/elastigroups`, { headers: { 'x-auth-token': token } })
  t.equal(groups.status, 200)
  t.ok(existsSync(command))
  child.kill('SIGINT')
  t.match(await ends(), { code: 130, errors: '' })
  await t.rejects(fetch(`${url}/v1/spot/ping`), 'the server is gone')
  t.notOk(existsSync(command), 'and what it wrote')
})
