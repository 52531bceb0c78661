/** The uplink against a real broker on a real socket: outage, return, order, duplicates, will, heartbeat, orderly stop. */
import { afterEach, describe, expect, it } from 'vitest'
import { SILENT } from '../../src/runtime/log.ts'
import { type Cloud, type CloudMessage, openCloud } from '../../src/simulate/cloud.ts'
import { INFO, openRig, type Rig, settingsOf, until } from './rig.ts'

const open: { close: () => Promise<void> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close()
})

async function openStandIn(): Promise<{ cloud: Cloud; messages: CloudMessage[]; server: string }> {
  const messages: CloudMessage[] = []
  const cloud = await openCloud({ port: 0, log: SILENT, onMessage: (message) => messages.push(message) })
  open.push(cloud)
  return { cloud, messages, server: `mqtt://127.0.0.1:${cloud.port}` }
}

function use(rig: Rig): Rig {
  open.push(rig.uplink)
  return rig
}

function batchesOf(messages: readonly CloudMessage[]): { level: string; lane: string; number: number }[] {
  return messages.flatMap((message) =>
    message.kind === 'batch' ? [{ level: message.level, lane: message.batch.lane, number: message.batch.number }] : [],
  )
}

describe('uplink and broker', () => {
  it('says state and heartbeat first, then alarms, events, live data, backlog', async () => {
    const { cloud, messages, server } = await openStandIn()
    const rig = use(
      openRig([server], {
        fill: (fake) => {
          for (let count = 0; count < 3; count++) fake.add('t', { old: true })
          for (let count = 0; count < 3; count++) fake.add('t')
          fake.add('e')
          fake.add('a')
        },
      }),
    )
    await until(() => cloud.report().batches === 8)
    expect(messages.slice(0, 2).map(({ kind }) => kind)).toEqual(['state', 'heartbeat'])
    expect(batchesOf(messages).map(({ level, number }) => `${level}${number}`)).toEqual([
      'a1',
      'e1',
      't4',
      't5',
      't6',
      'b1',
      'b2',
      'b3',
    ])
    await until(() => rig.uplink.status().acked === 8)
    await until(() => cloud.ledger.low({ gateway: 'jinxiu_3_gw1', epoch: '5f3a9c1e', lane: 't' }) === 6)
    expect(cloud.report()).toMatchObject({ breaches: 0, duplicates: 0, conflicts: 0, undeclared: 0 })
    expect(cloud.state('jinxiu_3_gw1')).toMatchObject({
      on: true,
      cn: rig.connections(),
      bt: 12,
      cv: 42,
      sha: 'c0ffee',
    })
    expect(rig.uplink.status()).toMatchObject({ connected: true, server, mqtt: 4, sent: 8, acked: 8, lastError: null })
  })

  it('sends what an earlier boot read seconds ago as live data, and what it read long ago as backlog, whenever that was cut', async () => {
    const { messages, server } = await openStandIn()
    const rig = use(
      openRig([server], {
        timings: { youngMs: 10_000 },
        fill: (fake) => {
          fake.add('t', { old: true })
          fake.add('t', { old: true, agoMs: 1000 })
        },
      }),
    )
    await until(() => batchesOf(messages).length === 2)
    expect(batchesOf(messages).map(({ level, number }) => `${level}${number}`)).toEqual(['t2', 'b1'])
    // Left uncut before, and cut by this boot.
    rig.add('t', { old: true })
    rig.add('t')
    await until(() => batchesOf(messages).length === 3)
    expect(batchesOf(messages)[2]).toMatchObject({ level: 't', number: 4 })
    expect(rig.waiting('t')).toContain(3)
  })

  it('sends what was cut from old samples as backlog once its time has come', async () => {
    const { messages, server } = await openStandIn()
    const rig = use(openRig([server], { timings: { youngMs: 200 } }))
    await until(() => rig.uplink.status().connected)
    rig.add('t', { old: true })
    await until(() => batchesOf(messages).length === 1)
    expect(batchesOf(messages)).toEqual([{ level: 'b', lane: 't', number: 1 }])
  })

  it('loses nothing over outages, and sends again only under the same identity', async () => {
    const { cloud, messages, server } = await openStandIn()
    const rig = use(openRig([server]))
    for (let round = 0; round < 4; round++) {
      for (let count = 0; count < 10; count++) rig.add('t')
      rig.add('a')
      await until(() => rig.uplink.status().connected)
      await cloud.stop()
      for (let count = 0; count < 10; count++) rig.add('t')
      rig.add('e')
      await until(() => !rig.uplink.status().connected)
      await cloud.start()
    }
    await until(() => rig.waiting('t').length + rig.waiting('a').length + rig.waiting('e').length === 0)
    await until(() => {
      const last = messages.filter(({ kind }) => kind === 'heartbeat').at(-1)
      return last?.kind === 'heartbeat' && JSON.stringify(last.document).includes('"hi":80,"ack":80')
    })
    expect(cloud.report()).toMatchObject({ batches: 88, samples: 168, breaches: 0, conflicts: 0, undeclared: 0 })
    expect(rig.events.filter((event) => event.kind === 'condition')).toEqual([])
    expect(rig.connections()).toBeGreaterThanOrEqual(5)
  })

  it('sends live data while a long backlog waits its turn', async () => {
    const { cloud, messages, server } = await openStandIn()
    const rig = use(
      openRig([server], {
        settings: { backfill: { bytesPerSecond: 20_000, delayMs: 0 } },
        fill: (fake) => {
          for (let count = 0; count < 200; count++) fake.add('t', { old: true, padding: 'x'.repeat(50) })
        },
      }),
    )
    for (let count = 0; count < 20; count++) {
      const { number } = rig.add('t')
      await until(() => batchesOf(messages).some((batch) => batch.level === 't' && batch.number === number))
    }
    const backlog = batchesOf(messages).filter(({ level }) => level === 'b')
    expect(backlog.length).toBeLessThan(200)
    expect(backlog.map(({ number }) => number)).toEqual(backlog.map((_, index) => index + 1))
    expect(cloud.report().breaches).toBe(0)
  })

  it('says its state again when names hold by another configuration', async () => {
    const { messages, server } = await openStandIn()
    let info = INFO
    use(openRig([server], { info: () => info }))
    const states = (): readonly unknown[] =>
      messages.flatMap((message) => (message.kind === 'state' ? [message.document] : []))
    await until(() => states().length === 1)
    info = { ...INFO, cv: 43, sha: 'decaf0' }
    await until(() => states().length === 2)
    const common = { v: 1, gw: 'jinxiu_3_gw1', on: true, cn: 2, bt: 12 }
    expect(states()).toMatchObject([
      { ...common, cv: 42, sha: 'c0ffee' },
      { ...common, cv: 43, sha: 'decaf0' },
    ])
  })

  it('leaves with a word: state off, then DISCONNECT, so no will', async () => {
    const { messages, server } = await openStandIn()
    const rig = use(openRig([server]))
    await until(() => rig.uplink.status().connected && messages.length >= 2)
    rig.stop.abort()
    await rig.uplink.close()
    const states = messages.filter(({ kind }) => kind === 'state')
    expect(states.at(-1)).toMatchObject({ document: { on: false, cn: 2, bt: 12, why: 'stop' } })
    expect(states.filter((state) => state.kind === 'state' && state.document['why'] === 'will')).toEqual([])
    expect(rig.uplink.status().connected).toBe(false)
  })

  it('is missed by the will when it dies without a word', async () => {
    const { cloud, messages, server } = await openStandIn()
    const rig = use(openRig([server]))
    await until(() => rig.uplink.status().connected && messages.length >= 2)
    const seen = messages.length
    await cloud.stop()
    await until(() => messages.slice(seen).some(({ kind }) => kind === 'state'))
    expect(messages.slice(seen).find(({ kind }) => kind === 'state')).toMatchObject({
      document: { on: false, why: 'will' },
    })
  })

  it('stops at the day’s budget, but for alarms and heartbeat', async () => {
    const { cloud, messages, server } = await openStandIn()
    let kept: string | null = null
    const keep = (text: string): void => {
      kept = text
    }
    const settings = { budgetBytesPerDay: 6_000 }
    const rig = use(openRig([server], { settings, timings: { keepMs: 10 }, spent: { before: null, keep } }))
    await until(() => rig.uplink.status().connected)
    await until(() => {
      rig.add('t')
      return rig.uplink.status().budgetSpent
    })
    await until(() => rig.uplink.status().inFlight === 0)
    const before = cloud.report().byLevel
    rig.add('t')
    rig.add('e')
    rig.add('a')
    await until(() => cloud.alarms().length === 1)
    const beats = cloud.report().heartbeats
    await until(() => cloud.report().heartbeats >= beats + 2)
    expect(cloud.report().byLevel['t']).toBe(before['t'])
    expect(cloud.report().byLevel['e']).toBeUndefined()
    expect(batchesOf(messages).filter(({ level }) => level === 'a')).toHaveLength(1)
    await until(() => Number(kept?.split(' ')[1]) > 6_000)
    await rig.uplink.close()
    // A restart does not make the day longer.
    const again = use(openRig([server], { settings, spent: { before: kept, keep } }))
    expect(again.uplink.status().budgetSpent).toBe(true)
  })

  it('refuses what it cannot do, in a sentence', () => {
    expect(() => openRig(['http://a.example'])).toThrow(/http:\/\/a.example.*mqtt:\/\/HOST/)
    expect(() => openRig([])).toThrow(/at least one server/)
    expect(() => openRig(['mqtt://a.example'], { settings: settingsOf([], { confirm: 'e2e' }) })).toThrow(/e2e/)
  })
})

describe('two gateways of one identity, on a broker that cannot say so', () => {
  it('both notice, and stop fighting', async () => {
    const { cloud, server } = await openStandIn()
    const timings = { takeoverPauseMs: 5_000 }
    const rigs = [use(openRig([server], { timings })), use(openRig([server], { timings }))]
    await until(() => rigs.some((rig) => rig.uplink.status().conditions.includes('identity_in_use')))
    const loser = rigs.find((rig) => rig.uplink.status().conditions.includes('identity_in_use'))
    expect(loser?.uplink.status().connected).toBe(false)
    const { connections } = cloud.report()
    const { heartbeats } = cloud.report()
    await until(() => cloud.report().heartbeats >= heartbeats + 5)
    expect(cloud.report().connections - connections).toBeLessThanOrEqual(2)
  })
})
