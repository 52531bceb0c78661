/** A broker that takes everything and throws it away, in a process of its own, for the bench. Prints its port, then bytes and messages each second. */
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

const broker = await Aedes.createBroker()
let bytes = 0
let messages = 0
broker.on('publish', (packet, client) => {
  if (client === null) return
  bytes += packet.payload.length + packet.topic.length
  messages += 1
})
const server = createServer((socket) => broker.handle(socket))
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object')
    process.stdout.write(`${JSON.stringify({ port: address.port })}\n`)
})
setInterval(() => process.stdout.write(`${JSON.stringify({ bytes, messages })}\n`), 1000)
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
