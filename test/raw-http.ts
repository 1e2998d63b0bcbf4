import { connect, type AddressInfo } from 'node:net'
import type { Gateway, Reply } from './helper.js'
import { until } from './until.js'

export const connectTo = ({ app }: Gateway) => connect((app.server.address() as AddressInfo).port, '127.0.0.1')

/** What comes back of bytes that need not be HTTP, and of more that drip in, once the server closed the connection. */
export async function raw (gateway: Gateway, bytes: string, drip = ''): Promise<Reply> {
  const socket = connectTo(gateway).setEncoding('utf8')
  let answer = ''
  socket.on('data', (chunk) => { answer += String(chunk) }).on('error', () => {}).write(bytes, 'latin1')
  let closed = false
  socket.on('close', () => { closed = true })
  await until(() => {
    if (drip !== '') socket.write(drip)
    return closed
  })
  const [head = '', text = ''] = answer.split('\r\n\r\n')
  const [status = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map((line) => line.toLowerCase().split(': ', 2)))
  const json = text !== '' && /json/.test(head) ? JSON.parse(text) : undefined
  return { status: Number(status.split(' ')[1]), headers, text, json }
}
