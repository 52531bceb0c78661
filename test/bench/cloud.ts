/** A broker that takes everything and throws it away, in a process of its own: for machines without mosquitto. Prints its port. */
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

const broker = await Aedes.createBroker()
const server = createServer((socket) => broker.handle(socket))
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object')
    process.stdout.write(`${JSON.stringify({ port: address.port })}\n`)
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
