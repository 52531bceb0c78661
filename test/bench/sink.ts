/**
 * A subscriber that takes everything and looks at nothing: a broker without one answers that nobody listens, and the gateway keeps
 * what it has. Raw MQTT 3.1.1, QoS 0, so that it costs the machine as little as possible. `sink.ts PORT`.
 */
import { connect } from 'node:net'

const CONNECT = Buffer.from([0x10, 0x10, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 4, 0x73, 0x69, 0x6e, 0x6b])
/** `#`, packet 1. */
const SUBSCRIBE = Buffer.from([0x82, 0x06, 0, 1, 0, 1, 0x23, 0])

const socket = connect({ host: '127.0.0.1', port: Number(process.argv[2]) })
socket.write(Buffer.concat([CONNECT, SUBSCRIBE]))
let bytes = 0
socket.on('data', (chunk) => {
  // CONNACK is 4 bytes, SUBACK 5: the first 9 say that it listens.
  if (bytes < 9 && bytes + chunk.length >= 9) process.stdout.write('{"listening":true}\n')
  bytes += chunk.length
})
socket.on('error', (error) => process.stderr.write(`sink: ${error.message}\n`))
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
