import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { openPipe } from '../../src/transport/open.ts'
import { createTap } from '../../src/transport/tap.ts'
import { openTcp } from '../../src/transport/tcp.ts'
import type { Ending, Pipe } from '../../src/transport/transport.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close()
    await once(server, 'close')
  }
})

async function listen(serve: (socket: Socket) => void): Promise<{ host: string; port: number }> {
  const server = createServer(serve)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

const never = new AbortController().signal

function pipeOf(opened: Pipe | Ending): Pipe {
  if (opened.kind === 'ending') throw new Error(opened.why)
  return opened
}

test('bytes go both ways, and closing ends both sides', async () => {
  let peer: Socket | undefined
  const target = await listen((socket) => {
    peer = socket
    socket.on('data', (chunk) => socket.write(Buffer.from([...chunk].reverse())))
  })
  const pipe = pipeOf(await openTcp(target, { signal: never }))
  const reply = new Promise<number[]>((resolve) => {
    const got: number[] = []
    pipe.onData((chunk) => {
      got.push(...chunk)
      if (got.length === 3) resolve(got)
    })
  })
  pipe.write(Uint8Array.of(1, 2, 3))
  expect(await reply).toEqual([3, 2, 1])
  await pipe.close()
  expect(await pipe.closed).toEqual({ kind: 'ending', fault: { kind: 'closed' }, why: 'closed by the gateway' })
  if (peer !== undefined && !peer.destroyed) await once(peer, 'close')
  pipe.write(Uint8Array.of(4))
})

test.each(['end', 'resetAndDestroy'] as const)('a peer that leaves by %s ends the pipe as closed', async (way) => {
  const target = await listen((socket) => socket.once('data', () => socket[way]()))
  const pipe = pipeOf(await openTcp(target, { signal: never }))
  pipe.write(Uint8Array.of(0))
  expect((await pipe.closed).fault).toEqual({ kind: 'closed' })
})

test('nobody listening: refused, with the reason', async () => {
  const target = await listen(() => {})
  servers[0]?.close()
  await once(servers.splice(0)[0]!, 'close')
  const result = await openTcp(target, { signal: never })
  expect(result).toMatchObject({ kind: 'ending', fault: { kind: 'refused' } })
  expect((result as Ending).why).toContain('ECONNREFUSED')
})

test('stopping cuts an opening short', async () => {
  const stop = new AbortController()
  // A documentation address: packets to it are answered by nobody, or refused at once where there is no route.
  const opening = openTcp({ host: '192.0.2.1', port: 502 }, { signal: stop.signal })
  stop.abort()
  expect(await opening).toMatchObject({ kind: 'ending', fault: { kind: 'refused' } })
  expect(await openTcp({ host: '192.0.2.1', port: 502 }, { signal: stop.signal })).toMatchObject({ kind: 'ending' })
})

test('more than one chunk buffer arrives whole and in order', async () => {
  const sent = Uint8Array.from({ length: 70_000 }, (_, at) => at & 255)
  const target = await listen((socket) => socket.end(sent))
  const pipe = pipeOf(await openTcp(target, { signal: never }))
  const got: number[] = []
  pipe.onData((chunk) => got.push(...chunk))
  await pipe.closed
  expect(Uint8Array.from(got)).toEqual(sent)
})

test('a tap counts, shows copies, and stops showing', async () => {
  const target = await listen((socket) => socket.on('data', (chunk) => socket.write(chunk)))
  const tap = createTap()
  const seen: string[] = []
  const stop = tap.listen((direction, bytes) => seen.push(`${direction} ${Buffer.from(bytes).toString('hex')}`))
  const pipe = tap.on(pipeOf(await openTcp(target, { signal: never })))
  const echo = (): Promise<void> => new Promise((resolve) => pipe.onData(() => resolve()))
  let back = echo()
  pipe.write(Uint8Array.of(0xab, 0xcd))
  await back
  stop()
  back = echo()
  pipe.write(Uint8Array.of(1))
  await back
  expect(seen).toEqual(['out abcd', 'in abcd'])
  expect(tap.bytes).toEqual({ in: 3, out: 3 })
  await pipe.close()
})

test('a serial port that does not exist is refused by name; its path is only a path', async () => {
  const path = '/dev/does not exist; %s$(reboot)'
  const result = await openPipe(
    { kind: 'serial', path },
    { baud: 9600, dataBits: 8, parity: 'N', stopBits: 1 },
    { signal: never },
  )
  expect(result).toMatchObject({ kind: 'ending', fault: { kind: 'refused' } })
  expect((result as Ending).why).toContain(path)
})
