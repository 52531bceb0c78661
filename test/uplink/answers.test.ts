/** What a broker may answer, and what it may fail to: versions, refusals, silence, reason codes, hang-ups, takeovers. */
import { createServer } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { openRig, type Rig, until } from './rig.ts'
import { connack, type FakeServer, openServer, type Published, puback, receiveMaximum, type Script } from './server.ts'

const open: { close: () => Promise<void> | void }[] = []
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close()
})

async function serve(script: Script): Promise<FakeServer> {
  const server = await openServer(script)
  open.push(server)
  return server
}

function use(rig: Rig): Rig {
  open.push(rig.uplink)
  return rig
}

function levelOf(message: Published): string {
  return message.topic.split('/').at(-1) ?? ''
}

function numberOf({ payload }: Published): number {
  const text = payload[0] === 0x1f ? gunzipSync(payload).toString() : payload.toString()
  return (JSON.parse(text) as { sq: number }).sq
}

function batches(server: FakeServer): string[] {
  return server.messages
    .filter((message) => 'tbae'.includes(levelOf(message)))
    .map((message) => levelOf(message) + numberOf(message))
}

describe('connecting', () => {
  it('speaks MQTT 5 where it is spoken: clean start, will, receive maximum, a counter per attempt', async () => {
    const server = await serve({})
    const rig = use(openRig([server.url]))
    await until(() => rig.uplink.status().connected)
    expect(rig.uplink.status()).toMatchObject({ mqtt: 5, connection: 1 })
    const text = server.connects[0]!.raw.toString('latin1')
    expect(server.connects[0]!.raw[7]! & 0b0011_1110).toBe(0b0010_1110) // clean start, will, QoS 1, retain
    expect(text).toContain('gh/v1/demo/jinxiu_3_gw1/s')
    expect(text).toContain('{"v":1,"gw":"jinxiu_3_gw1","on":false,"cn":1,"bt":12,"why":"will"}')
    expect(server.connects[0]!.raw.includes(Buffer.from([0x21, 0, 32]))).toBe(true)
    await until(() => server.messages.some((message) => levelOf(message) === 'h'))
    expect(server.messages[0]).toMatchObject({ topic: 'gh/v1/demo/jinxiu_3_gw1/s', qos: 1, retain: true })
    expect(server.messages.find((message) => levelOf(message) === 'h')).toMatchObject({ qos: 0, retain: false })
  })

  it.each([
    ['closes', 'close' as const],
    ['says “unacceptable protocol”', connack(4, 1)],
    ['says 0x84', connack(5, 0x84)],
    ['answers “server unavailable” in 3.1.1', connack(4, 3)],
    ['stays silent', null],
  ])('falls back to 3.1.1 when the server %s, and remembers', async (_, reply) => {
    const server = await serve({ connect: ({ version }) => (version === 5 ? reply : connack(4, 0)) })
    const rig = use(openRig([server.url], { timings: { connectMs: 100 } }))
    await until(() => rig.uplink.status().connected)
    expect(server.connects.map(({ version }) => version)).toEqual([5, 4])
    expect(rig.uplink.status()).toMatchObject({ mqtt: 4, connection: 2 })
    rig.add('t')
    await until(() => rig.uplink.status().acked === 1)
  })

  it('asks a server that refused MQTT 5 in 3.1.1 from then on', async () => {
    let hangUp = true
    const server = await serve({
      connect: ({ version }) => (version === 5 ? connack(4, 1) : connack(4, 0)),
      publish: () => (hangUp ? 'close' : 0),
    })
    const rig = use(openRig([server.url]))
    await until(() => server.connects.length >= 4)
    hangUp = false
    await until(() => rig.uplink.status().connected)
    expect(server.connects.slice(1).map(({ version }) => version)).not.toContain(5)
  })

  it.each([3, 5])('keeps trying after CONNACK %i', async (code) => {
    const server = await serve({ connect: ({ version, connection }) => connack(version, connection <= 4 ? code : 0) })
    const rig = use(openRig([server.url]))
    await until(() => rig.uplink.status().connected)
    expect(server.connects).toHaveLength(5)
  })

  it('keeps trying after “not authorized” of MQTT 5, without changing the version', async () => {
    let code = 0x87
    const server = await serve({ connect: () => connack(5, code) })
    const rig = use(openRig([server.url]))
    await until(() => server.connects.length >= 2)
    expect(rig.uplink.status().lastError).toMatch(/not authorized/i)
    code = 0
    await until(() => rig.uplink.status().connected)
    expect(server.connects.map(({ version }) => version)).not.toContain(4)
  })

  it('goes to the next server when one is away or answers garbage', async () => {
    const portal = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end('HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n<html></html>')
    })
    await new Promise<void>((resolve) => {
      portal.listen(0, '127.0.0.1', resolve)
    })
    open.push({ close: () => void portal.close() })
    const address = portal.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const server = await serve({})
    const gone = await openServer()
    await gone.close()
    const rig = use(openRig([`mqtt://127.0.0.1:${address.port}`, gone.url, server.url], { random: () => 0.99 }))
    await until(() => rig.uplink.status().connected)
    expect(rig.uplink.status().server).toBe(server.url)
    expect(rig.connections()).toBe(4) // the portal is asked in both versions
  })

  it('does not connect while the counter cannot be made durable', async () => {
    const server = await serve({})
    let broken = true
    let connection = 0
    const rig = use(
      openRig([server.url], {
        nextConnection: async () => {
          await Promise.resolve()
          if (broken) throw new Error('disk is full')
          connection += 1
          return connection
        },
      }),
    )
    await until(() => rig.uplink.status().attempts >= 3)
    expect(server.connects).toEqual([])
    expect(rig.uplink.status().lastError).toBe('disk is full')
    broken = false
    await until(() => rig.uplink.status().connected)
  })

  it('waits at random after a power cut of the neighbourhood', async () => {
    const server = await serve({})
    const cut = { ...(await import('./outbox.ts')).IDENTITY, clean: false, lastCommitAt: Date.now() - 3_600_000 }
    const rig = use(openRig([server.url], { identity: cut, timings: { spreadMs: 200 }, random: () => 0.5 }))
    const started = performance.now()
    await until(() => rig.uplink.status().connected)
    expect(performance.now() - started).toBeGreaterThanOrEqual(95)
  })

  it('stops at once while a server stays silent', async () => {
    const server = await serve({ connect: () => null })
    const rig = openRig([server.url], { timings: { connectMs: 60_000 } })
    await until(() => server.connects.length === 1)
    await rig.uplink.close()
    expect(rig.uplink.status().connected).toBe(false)
  })
})

describe('acknowledgements', () => {
  it('are waited for so long, then the connection goes and the next server gets it all again, in order', async () => {
    const mute = await serve({ publish: () => null })
    const server = await serve({})
    const rig = use(
      openRig([mute.url, server.url], {
        random: () => 0.99,
        timings: { ackMs: 150 },
        fill: (fake) => {
          for (let count = 0; count < 5; count++) fake.add('a')
        },
      }),
    )
    await until(() => rig.uplink.status().acked === 5)
    expect(batches(mute)).toEqual(['a1', 'a2', 'a3', 'a4', 'a5'])
    expect(batches(server)).toEqual(['a1', 'a2', 'a3', 'a4', 'a5'])
    expect(rig.waiting('a')).toEqual([])
    expect(rig.events.find((event) => event.kind === 'link' && !event.connected)).toMatchObject({
      cause: 'no PUBACK in 150 ms',
    })
  })

  it('bound what is on the way: 16, of which 4 only for alarms; a server’s receive maximum narrows it', async () => {
    const fill: NonNullable<Parameters<typeof openRig>[1]>['fill'] = (fake) => {
      for (let count = 0; count < 40; count++) fake.add('a')
    }
    const wide = await serve({ publish: (message) => (levelOf(message) === 's' ? 0 : null) })
    const rig = use(openRig([wide.url], { fill }))
    await until(() => batches(wide).length >= 16)
    expect(rig.uplink.status().inFlight).toBe(16)
    const narrow = await serve({
      connect: ({ version }) => connack(version, 0, receiveMaximum(3)),
      publish: (message) => (levelOf(message) === 's' ? 0 : null),
    })
    const slow = use(openRig([narrow.url], { fill }))
    await until(() => batches(narrow).length >= 3)
    expect(slow.uplink.status().inFlight).toBe(3)
    expect(batches(narrow)).toHaveLength(3)
  })

  it('0x10: nobody has it. The head comes again alone, the alarm is raised and cleared, nothing is freed', async () => {
    let listening = false
    const server = await serve({ publish: () => (listening ? 0 : 0x10) })
    const rig = use(
      openRig([server.url], {
        fill: (fake) => {
          for (let count = 0; count < 3; count++) fake.add('e')
        },
      }),
    )
    await until(() => rig.uplink.status().conditions.includes('uplink_undelivered'))
    expect(rig.uplink.status().undelivered).toBe(true)
    expect(rig.waiting('e')).toEqual([1, 2, 3])
    await until(() => batches(server).filter((batch) => batch === 'e1').length >= 3)
    // One burst at most before the first answer came; from then on only the head.
    expect(batches(server).filter((batch) => batch === 'e3').length).toBeLessThanOrEqual(1)
    listening = true
    await until(() => rig.uplink.status().acked === 3)
    await until(() => rig.uplink.status().conditions.length === 0)
    expect(rig.events.filter((event) => event.kind === 'condition')).toMatchObject([
      { condition: 'uplink_undelivered', active: true },
      { condition: 'uplink_undelivered', active: false },
    ])
  })

  it.each([0x83, 0x87, 0x90, 0x99])('code %i sets that batch aside and goes on', async (code) => {
    const server = await serve({
      publish: (message) => (levelOf(message) === 'a' && numberOf(message) === 2 ? code : 0),
    })
    const rig = use(
      openRig([server.url], {
        fill: (fake) => {
          for (let count = 0; count < 4; count++) fake.add('a')
        },
      }),
    )
    await until(() => rig.uplink.status().acked === 3)
    await until(() => rig.setAside.length === 1)
    expect(rig.setAside).toMatchObject([{ lane: 'a', number: 2 }])
    expect(rig.waiting('a')).toEqual([])
  })

  it('0x97: the quota. It slows down and sends again', async () => {
    let refusals = 2
    const server = await serve({
      publish: (message) => {
        if (levelOf(message) === 's' || refusals === 0) return 0
        refusals -= 1
        return 0x97
      },
    })
    const rig = use(openRig([server.url]))
    rig.add('e')
    await until(() => rig.uplink.status().acked === 1)
    expect(batches(server)).toEqual(['e1', 'e1', 'e1'])
    expect(rig.setAside).toEqual([])
  })

  it('a batch that is answered five times by a hang-up is set aside, declared, and the rest goes on', async () => {
    const server = await serve({
      connect: ({ version }) => (version === 5 ? 'close' : connack(4, 0)),
      publish: (message) => (levelOf(message) === 'a' && numberOf(message) === 3 ? 'close' : 0),
    })
    const rig = use(
      openRig([server.url], {
        fill: (fake) => {
          for (let count = 0; count < 6; count++) fake.add('a')
        },
      }),
    )
    await until(() => rig.uplink.status().acked === 5)
    expect(rig.setAside).toMatchObject([{ lane: 'a', number: 3, why: expect.stringContaining('five times') as string }])
    expect(batches(server).filter((batch) => batch === 'a3')).toHaveLength(5)
    expect(rig.uplink.status().conditions).toEqual([])
  })

  it('silence is no answer: nothing is set aside however often', async () => {
    let silences = 7
    const server = await serve({
      publish: (message) => {
        if (levelOf(message) !== 'a' || silences === 0) return 0
        silences -= 1
        return null
      },
    })
    const rig = use(openRig([server.url], { timings: { ackMs: 40 } }))
    rig.add('a')
    await until(() => rig.uplink.status().acked === 1 || rig.setAside.length > 0)
    expect(rig.setAside).toEqual([])
  })
})

describe('a half-open line', () => {
  it('is noticed by the keepalive when there is nothing to send', async () => {
    const dead = await serve({ pings: false })
    const rig = use(openRig([dead.url], { settings: { keepaliveS: 1 } }))
    await until(() => rig.uplink.status().connected)
    const since = performance.now()
    await until(() => dead.connects.length === 2)
    expect(performance.now() - since).toBeLessThan(2_000)
    expect(rig.events.find((event) => event.kind === 'link' && !event.connected)).toMatchObject({
      cause: 'Keepalive timeout',
    })
  })
})

describe('our identity elsewhere', () => {
  it('three takeovers: alarm, slow reconnects, telemetry held back, alarms go on', async () => {
    const takenOver = Buffer.from([0xe0, 2, 0x8e, 0])
    let kicks = 3
    const server = await serve({
      publish: (message, socket) => {
        if (levelOf(message) === 's' && kicks > 0) {
          kicks -= 1
          socket.end(takenOver)
          return null
        }
        return 0
      },
    })
    const rig = use(openRig([server.url], { timings: { takeoverPauseMs: 100 } }))
    await until(() => rig.uplink.status().conditions.includes('identity_in_use'))
    const connections = server.connects.length
    expect(connections).toBe(3)
    rig.add('t')
    rig.add('a')
    await until(() => rig.uplink.status().acked === 1)
    expect(batches(server)).toEqual(['a1'])
    expect(rig.waiting('t')).toEqual([1])
    expect(rig.events.filter((event) => event.kind === 'condition')).toMatchObject([
      { condition: 'identity_in_use', active: true },
    ])
  })

  it('is suspected of a server, of either version, that hangs up on idle sessions without a word', async () => {
    for (const version of [5, 4]) {
      let kicks = 3
      const server = await serve({
        connect: (connect) => connack(connect.version, connect.version === version ? 0 : 1),
        publish: (message, socket) => {
          if (levelOf(message) !== 's' || kicks === 0) return 0
          kicks -= 1
          socket.end(puback(version, message.id, 0))
          return null
        },
      })
      const rig = use(openRig([server.url], { timings: { takeoverPauseMs: 100 } }))
      await until(() => rig.uplink.status().conditions.includes('identity_in_use'))
      // Nobody has said so for certain: telemetry goes on.
      rig.add('t')
      await until(() => rig.uplink.status().acked === 1)
    }
  })
})
