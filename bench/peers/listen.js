/** Listens on any free port of 127.0.0.1, and tells the address. */
export const listenAndTell = (server) => server.listen(0, '127.0.0.1', () => {
  process.send({ url: `http://127.0.0.1:${server.address().port}` })
})
