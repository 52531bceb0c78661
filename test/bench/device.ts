/**
 * A fast Modbus TCP device for the bench: one port per device, any unit, FC 1 to 6, 15 and 16, noisy registers. Run as a process
 * of its own so that its work is not counted as the gateway's. `sh bin/node test/bench/device.ts PORTS` prints its ports as JSON.
 * Orders on standard input: `set DEVICE VALUE` puts register 0 of one device; `noise on` and `noise off`.
 */
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

const ports = Number(process.argv[2] ?? 1)
let noisy = true

let seed = 12345
/** Park-Miller: the same noise in every run. */
function random(): number {
  seed = (seed * 48271) % 2147483647
  return seed / 2147483647
}

const registers = new Uint16Array(65536).map((_, k) => 2000 + ((k * 37) % 20000))
/** Register 0, of each device its own. */
const marked = new Uint16Array(ports)
const coils = new Map<number, boolean>()

function move(start: number, count: number): void {
  for (let k = start; k < start + count; k++) registers[k] = (registers[k] ?? 0) + Math.round((random() - 0.5) * 20)
}

/** The reply's PDU to a request's. */
function answer(device: number, pdu: Buffer): Buffer {
  const fc = pdu[0] ?? 0
  const start = pdu.readUInt16BE(1)
  const count = pdu.readUInt16BE(3)
  if (fc === 1 || fc === 2) {
    const reply = Buffer.alloc(2 + Math.ceil(count / 8))
    reply[0] = fc
    reply[1] = reply.length - 2
    for (let k = 0; k < count; k++) {
      const at = 2 + (k >> 3)
      if (coils.get(device * 65536 + start + k)) reply[at] = (reply[at] ?? 0) | (1 << (k & 7))
    }
    return reply
  }
  if (fc === 3 || fc === 4) {
    if (noisy) move(start, count)
    const reply = Buffer.alloc(2 + 2 * count)
    reply[0] = fc
    reply[1] = 2 * count
    for (let k = 0; k < count; k++) {
      const value = start + k === 0 ? marked[device] : registers[start + k]
      reply.writeUInt16BE(value ?? 0, 2 + 2 * k)
    }
    return reply
  }
  if (fc === 5) coils.set(device * 65536 + start, count === 0xff00)
  return pdu.subarray(0, 5)
}

function serve(device: number, socket: Socket): void {
  socket.setNoDelay(true)
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (bytes: Buffer) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    while (rest.length >= 8) {
      const length = 6 + rest.readUInt16BE(4)
      if (rest.length < length) break
      const pdu = answer(device, rest.subarray(7, length))
      const frame = Buffer.alloc(7 + pdu.length)
      rest.copy(frame, 0, 0, 7)
      frame.writeUInt16BE(1 + pdu.length, 4)
      pdu.copy(frame, 7)
      socket.write(frame)
      rest = rest.subarray(length)
    }
  })
  socket.on('error', () => socket.destroy())
}

const bound: number[] = []
for (let device = 0; device < ports; device++) {
  const server = createServer((socket) => serve(device, socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.address()
  if (address !== null && typeof address === 'object') bound.push(address.port)
}
process.stdout.write(`${JSON.stringify({ ports: bound })}\n`)

createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, first, second] = line.split(' ')
  if (word === 'set') marked[Number(first)] = Number(second)
  else if (word === 'noise') noisy = first === 'on'
})
process.stdin.on('end', () => process.exit(0))
