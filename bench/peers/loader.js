// Connections that each ask for one path, over and over; tells how many answers there were.
import autocannon from 'autocannon'

const { url, paths, headers, ...length } = JSON.parse(process.argv[2])
const pathname = new URL(url).pathname.replace(/\/$/, '')
let connection = 0

const { requests, '2xx': good, non2xx, errors } = await autocannon({
  url,
  headers,
  timeout: 30,
  ...length,
  setupClient (client) {
    client.setRequests([{ method: 'GET', path: pathname + paths[connection++ % paths.length], headers }])
  }
})
process.send({ rate: requests.average, good, bad: non2xx + errors })
