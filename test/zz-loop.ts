import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync, mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startSandbox } from '../services/sandbox/index.js'
import { hashSync } from '@node-rs/bcrypt'
const KEY='a-key-for-tests-only', TOKEN=hashSync(KEY,4)
async function one (i: number) {
const sandbox = await startSandbox()
const { url: endpoint, accounts: [account] } = sandbox
const dir = mkdtempSync('/tmp/spotexp/c'); mkdirSync(dir+'/config')
writeFileSync(dir+'/config/config.json', JSON.stringify({ listenAddress: '127.0.0.1:0', token: KEY, accounts: { real: { ...account, endpoint } } }))
let phase = 'start'; const t0 = Date.now()
const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--import', 'file:///work/main/node_modules/tsx/dist/loader.mjs', '/work/main/server.ts'], {cwd: dir})
child.stdin.end('')
let out='', err=''; child.stdout.on('data', d => {out+=d}); child.stderr.on('data', d => {err+=d})
const timer = setTimeout(() => { console.log(i, 'HANG in', phase, child.pid, child.exitCode, child.signalCode, out, err) }, 25000)
const closed = once(child, 'close')
while (!/listening at (http:[^"]+)/.test(out)) await sleep(20)
const url = /listening at (http:[^"]+)/.exec(out)![1]
phase='get'
const r = await fetch(`${url}/v1/spot/real/elastigroups`, { headers: { 'x-auth-token': TOKEN } })
await r.json(); phase='kill'; const t1 = Date.now()
child.kill('SIGINT')
const [code, sig] = await closed; clearTimeout(timer); if (code !== 0 || Date.now()-t1 > 2000) console.log(i, 'exit', code, sig, t1-t0, Date.now()-t1, err)
await sandbox.close()
}
let n = 0
await Promise.all([1,2,3,4,5].map(async () => { while (n < 100) await one(n++) }))
console.log('done')
