/**
 * A fast Modbus TCP device for the bench: any unit, FC 3 and 4, noisy registers. Run as a process of its own so that its work is
 * not counted as the gateway's. `sh bin/node test/bench/device.ts PORTS [noise|still]` prints the ports it listens on as JSON.
 * Register 0 of every unit can be set by a line `set VALUE` on standard input, answered by the time at which it was set.
 */
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

const ports = Number(process.argv[2] ?? 1)
const noisy = process.argv[3] !== 'still'

let seed = 12345
/** Park-Miller: the same noise in every run. */
function random(): number {
  seed = (seed * 48271) % 2147483647
  return seed / 2147483647
}

const registers = new Uint16Array(65536).map((_, k) => (k * 37) % 20000)
let marked = 0

function move(start: number, count: number): void {
  for (let k = start; k < start + count; k++) registers[k] = (registers[k] ?? 0) + Math.round((random() - 0.5) * 20)
}

function answer(socket: Socket, frame: Buffer): void {
  const start = frame.readUInt16BE(8)
  const count = frame.readUInt16BE(10)
  if (noisy) move(start, count)
  const reply = Buffer.alloc(9 + count * 2)
  frame.copy(reply, 0, 0, 8)
  reply.writeUInt16BE(3 + count * 2, 4)
  reply[8] = count * 2
  for (let k = 0; k < count; k++) reply.writeUInt16BE(start + k === 0 ? marked : (registers[start + k] ?? 0), 9 + k * 2)
  socket.write(reply)
}

const bound: number[] = []
for (let k = 0; k < ports; k++) {
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (bytes: Buffer) => {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
      while (rest.length >= 12) {
        answer(socket, rest)
        rest = rest.subarray(12)
      }
    })
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.address()
  if (address !== null && typeof address === 'object') bound.push(address.port)
}
process.stdout.write(`${JSON.stringify({ ports: bound })}\n`)

createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, value] = line.split(' ')
  if (word !== 'set') return
  marked = Number(value)
  process.stdout.write(`${JSON.stringify({ set: marked, at: Date.now() })}\n`)
})
process.stdin.on('end', () => process.exit(0))
