/**
 * One RS-485 pair as a riser has it: 32 nodes, three protocols, two line settings, three of the nodes dead, one reply in a hundred
 * late. The bus is the real one on a real serial port (a pseudo terminal by socat); what devices show changes all the time, and
 * every value that comes out is held against the simulator's own log. A pseudo terminal knows no line speed, so the simulator
 * takes the time that the bytes would need at the device's setting, and thinks before it answers.
 *
 * EXCHANGES=10000 runs the long one; SEED=… gives the same devices and faults; LATE=0.1 makes ten times as many late.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openBus } from '../../src/bus/bus.ts'
import { predictBus } from '../../src/bus/predict.ts'
import { lineOf, sameLine } from '../../src/bus/timing.ts'
import { checkSite } from '../../src/config/check.ts'
import type { Arrival } from '../../src/model/sample.ts'
import type { Line, Site } from '../../src/model/site.ts'
import { protocolOf } from '../../src/protocols/all.ts'
import { createClock } from '../../src/runtime/clock.ts'
import { hostClock } from '../../src/runtime/kernel.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { Scope } from '../../src/runtime/scope.ts'
import { type Change, openSimulator, type Simulator } from '../../src/simulate/simulator.ts'
import { type OpenPipe, openPipe } from '../../src/transport/open.ts'
import { freshDir, removeDir, until } from './tools.ts'

const EXCHANGES = Number(process.env['EXCHANGES'] ?? 1000)
/** Share of replies that come after their request was given up, or nearly. */
const LATE = Number(process.env['LATE'] ?? 0.01)
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
/** A node shows another value so often: what a late reply brings is no longer true. */
const CHANGE_EVERY_MS = 100
const STALL_EVERY_MS = 5
const WRITE_EVERY_MS = 900
/** What a timer, a socket and two processes on a busy machine add. */
const SLACK_MS = 25
/** The longest silence before a request, and a port closed and opened again for another parity. */
const GAP_MS = 25
/** The longest exchange: a meter's request at 2400 baud, its timeout, and the time that its answer would need. */
const EXCHANGE_MS = 90 + 350 + 170
/** What the drive has not answered yet it may still be at: for so long it alone is not spoken to. */
const OWN_SILENCE_MS = 1000

const HEAD = 'category: io\nsource: made for this test\nproven: none\n'
const MODBUS = `${HEAD}protocol: modbus\nmanual: 0based\nline: 19200 8N1\nmodbus: {timeout: 200ms, retries: 1}\n`
const VALUE = 'value: {at: holding 0, as: u32, every: fast}'
const DRIVERS: Readonly<Record<string, string>> = {
  unit: `${MODBUS}polls: {fast: 1200ms}\npoints:\n  ${VALUE}\n`,
  drive: `${MODBUS}polls: {fast: 1200ms}\npoints:\n  ${VALUE}
  setpoint: {at: holding 500, as: u16, every: fast, range: [0, 60000], write: {role: operator, readBack: true}}\n`,
  energy: `${HEAD}protocol: dlt645\nline: 2400 8E1\ndlt645: {timeout: 350ms, retries: 1}\npolls: {slow: 10s}
points:\n  value: {at: "00010000", kind: counter, every: slow}\n`,
  water: `${HEAD}protocol: cjt188\nline: 2400 8E1\ncjt188: {type: "10", identifier: "901F", timeout: 350ms, retries: 1}
polls: {slow: 10s}\npoints:\n  value: {at: "901F", field: total, kind: counter, every: slow}\n`,
}
/** Node number to driver and address; the fifth of the Modbus units and one meter of each protocol have lost their power. */
const NODES = Array.from({ length: 32 }, (_, at) => at + 1)
const DEAD = new Set([5, 27, 30])

function driverOf(node: number): string {
  if (node === 1) return 'drive'
  return node <= 24 ? 'unit' : node <= 28 ? 'energy' : 'water'
}

function addressOf(node: number): string {
  if (node <= 24) return String(node)
  return `"${String(node).padStart(node <= 28 ? 12 : 14, '0')}"`
}

let scope = new Scope()
afterEach(async () => {
  await scope.close()
  scope = new Scope()
})

function writeSite(dir: string): Site {
  mkdirSync(join(dir, 'drivers/io'), { recursive: true })
  for (const [name, text] of Object.entries(DRIVERS)) {
    const title = `driver: io/${name}\ntitle: {en: ${name}, zh: ${name}}\n`
    writeFileSync(join(dir, `drivers/io/${name}.yaml`), title + text)
  }
  const devices = NODES.map((n) => `  node_${n}: {driver: io/${driverOf(n)}, bus: riser, address: ${addressOf(n)}}`)
  const wire = join(dir, 'riser')
  const text = `site: {id: pair}\ngateway: {clock: system}\nbuses:\n  riser: {wire: ${wire}}\ndevices:\n${devices.join('\n')}\n`
  writeFileSync(join(dir, 'site.yaml'), text)
  const { site, findings } = checkSite(join(dir, 'site.yaml'), { libraries: [] })
  if (site === null) throw new Error(JSON.stringify(findings.slice(0, 3)))
  return site
}

/** Whom a request asks, or who answers, read from its bytes and nothing else. */
function nodeAsked(bytes: Uint8Array): number {
  const start = bytes.findIndex((byte) => byte !== 0xfe)
  if (bytes[start] !== 0x68) return bytes[start] ?? 0
  const isEnergy = bytes[start + 7] === 0x68
  const address = isEnergy ? bytes.subarray(start + 1, start + 7) : bytes.subarray(start + 2, start + 9)
  return Number(Buffer.from(address).reverse().toString('hex'))
}

type Sent = { readonly mono: number; readonly node: number; readonly line: Line; readonly writes: boolean }
type Heard = { readonly mono: number; readonly node: number }

/** The gateway's own serial port: what is written into it, at which setting, and when something comes. */
function watched(sent: Sent[], heard: Heard[], mono: () => number): OpenPipe {
  return async (wire, line, opening) => {
    const pipe = await openPipe(wire, line, opening)
    if (pipe.kind !== 'pipe') return pipe
    let current = line
    return {
      ...pipe,
      write(bytes) {
        const node = nodeAsked(bytes)
        sent.push({ mono: mono(), node, line: current, writes: node <= 24 && (bytes[1] === 6 || bytes[1] === 16) })
        pipe.write(bytes)
      },
      onData(listener) {
        pipe.onData((chunk) => {
          heard.push({ mono: mono(), node: nodeAsked(chunk) })
          listener(chunk)
        })
      },
      async retune(wanted) {
        const done = await pipe.retune(wanted)
        if (done) current = wanted
        return done
      },
    }
  }
}

/** Of every value when it was shown, by point: no two are alike. */
function shownTimes(changes: readonly Change[]): ReadonlyMap<string, ReadonlyMap<number, readonly [number, number]>> {
  const byPoint = Map.groupBy(changes, ({ point }) => point)
  return new Map(
    [...byPoint].map(([point, own]) => [
      point,
      new Map(own.map(({ value, mono }, at) => [cents(value), [mono, own[at + 1]?.mono ?? Infinity] as const])),
    ]),
  )
}

function cents(value: unknown): number {
  return Math.round(Number(value) * 100)
}

/** Another value on every node, over and over. */
function keepChanging(simulator: Simulator): void {
  let beat = 0
  const timer = setInterval(() => {
    beat += 1
    // Meters hold eight digits, two of them behind the point.
    for (const n of NODES)
      simulator.set(`node_${n}.value`, n <= 24 ? n * 1_000_000 + beat : (n * 1_000_000 + beat) / 100)
  }, CHANGE_EVERY_MS)
  scope.defer(() => clearInterval(timer))
}

/** When this process itself could not run, ms late: what else the machine did is no fault of the bus. */
function watchStalls(mono: () => number): { readonly at: number; readonly ms: number }[] {
  const stalls: { at: number; ms: number }[] = []
  let due = mono() + STALL_EVERY_MS
  const timer = setInterval(() => {
    const now = mono()
    if (now - due > STALL_EVERY_MS) stalls.push({ at: now, ms: now - due })
    due = now + STALL_EVERY_MS
  }, STALL_EVERY_MS)
  scope.defer(() => clearInterval(timer))
  return stalls
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? 0

test(`${EXCHANGES} exchanges: no wrong value, every live node as often as predicted, writes go first`, {
  timeout: 60_000 + EXCHANGES * 150,
}, async () => {
  const dir = freshDir('pair')
  scope.defer(() => removeDir(dir))
  const site = writeSite(dir)
  const [riser] = site.buses
  if (riser === undefined) throw new Error('no bus')
  const clock = createClock('system', { floorMs: 0, sources: hostClock() })
  const simulator = await scope.open(
    openSimulator({
      site,
      clock,
      log: SILENT,
      seed: SEED,
      portBase: 0,
      ptyFolder: dir,
      thinkMs: [3, 12],
      faults: Object.fromEntries(
        NODES.map((n) => [
          `node_${n}`,
          [
            { kind: 'late', share: LATE / 2, delayMs: 250 },
            { kind: 'late', share: LATE / 2, delayMs: 500 },
          ],
        ]),
      ),
    }),
  )
  for (const n of DEAD) await simulator.pause(`node_${n}`)
  keepChanging(simulator)

  const sent: Sent[] = []
  const heard: Heard[] = []
  const stalls = watchStalls(clock.mono)
  const scans: Extract<Arrival, { kind: 'scan' }>[] = []
  const began = clock.mono()
  const bus = openBus({
    bus: riser,
    devices: site.devices,
    points: site.points,
    clock,
    post: (arrival) => void (arrival.kind === 'scan' && scans.push(arrival)),
    log: SILENT,
    signal: scope.signal,
    openPipe: watched(sent, heard, clock.mono),
  })
  scope.defer(() => bus.close())

  const setpoint = site.points.find(({ id }) => id === 'node_1.setpoint')?.index ?? -1
  const writes: { askedAt: number; outcome: string }[] = []
  let writing = true
  const writer = (async () => {
    while (writing) {
      // Not in step with the polls.
      await new Promise((resolve) => setTimeout(resolve, WRITE_EVERY_MS + 37 * (writes.length % 9)))
      const askedAt = clock.mono()
      const value = 100 + writes.length
      const done = await bus.write({ id: `w${value}`, point: setpoint, value, by: 'test', role: 'operator' })
      writes.push({ askedAt, outcome: done.outcome })
    }
  })()
  await until(`${EXCHANGES} exchanges`, () => sent.length >= EXCHANGES, 40_000 + EXCHANGES * 150)
  const tookMs = clock.mono() - began
  writing = false
  await writer
  const status = bus.status()
  await bus.close()

  // Values: shown by that node, and between the request and the arrival of its answer.
  const shown = shownTimes(simulator.changes)
  expect(simulator.dropped()).toBe(0)
  const readings = scans.flatMap(({ device, mono, readings: own }) =>
    own.flatMap((reading) => {
      const id = site.points[reading.point]?.id ?? ''
      if (!('value' in reading) || !id.endsWith('.value')) return []
      return [{ device, mono, id, value: reading.value, doubt: reading.doubt ?? null }]
    }),
  )
  const wrong = readings.flatMap((reading) => {
    const { device, mono, id, value } = reading
    const asked = sent.findLast((each) => each.node === device + 1 && each.mono <= mono && !each.writes)
    const times = shown.get(id)?.get(cents(value))
    const isTrue = asked !== undefined && times !== undefined && times[1] >= asked.mono - 1 && times[0] <= mono + 1
    const requests = sent.filter((each) => each.node === device + 1 && each.mono <= mono && each.mono > mono - 3000)
    return isTrue ? [] : [{ ...reading, shown: times, requests: requests.map((each) => each.mono) }]
  })

  // Every request left at the setting of the device that it is for.
  const misdirected = sent.filter(({ node, line }) => {
    const link = site.devices[node - 1]?.link
    return link?.kind !== 'bus' || !sameLine(line, lineOf(riser, link, protocolOf(link.protocol).line))
  })

  // Intervals.
  const { intervals } = predictBus(riser, site.devices, site.points)
  const byDevice = Map.groupBy(readings, ({ device }) => device)
  // Of all time, what this process was not allowed to run: no bus can use that.
  const stalledShare = stalls.reduce((sum, { ms }) => sum + ms, 0) / tookMs
  const paces = intervals
    .filter(({ device, block }) => !DEAD.has(device + 1) && !(device === 0 && block.includes('500')))
    .map(({ device, everyMs, predictedMs }) => {
      const times = (byDevice.get(device) ?? []).map(({ mono }) => mono)
      const spanMs = (times.at(-1) ?? 0) - (times[0] ?? 0)
      const measuredMs = times.length < 2 ? Infinity : spanMs / (times.length - 1)
      const share = measuredMs / predictedMs
      return { node: device + 1, everyMs, predictedMs, measuredMs, share, ownShare: share * (1 - stalledShare) }
    })
  expect(paces).toHaveLength(29)

  // Writes: nothing else goes out between the order and its request, which waits for the exchange on the wire and the gap only.
  const waits = writes.map(({ askedAt }) => {
    const at = sent.findIndex(({ mono, writes: isWrite }) => isWrite && mono >= askedAt)
    const next = sent.findIndex(({ mono }) => mono >= askedAt)
    const beganAt = sent[at]?.mono ?? Infinity
    const before = sent[next - 1]
    // A late reply of another node ends nothing.
    const answers = heard.filter(
      ({ mono, node }) => before !== undefined && node === before.node && mono > before.mono && mono < beganAt,
    )
    // The gap that the machine made: this process did not run.
    const stalledMs = stalls
      .filter((stall) => stall.at > askedAt && stall.at - stall.ms < beganAt)
      .reduce((sum, { ms }) => sum + ms, 0)
    const endedAt = answers.at(-1)?.mono
    const ownSilence = endedAt === undefined && before?.node === 1 ? OWN_SILENCE_MS : 0
    return {
      ms: beganAt - askedAt,
      passed: at - next,
      stalledMs,
      before: before?.node,
      mayMs: EXCHANGE_MS + GAP_MS + ownSilence + stalledMs,
      // null: nobody answered what was on the wire.
      gapMs: endedAt === undefined ? null : beganAt - Math.max(askedAt, endedAt),
    }
  })
  const waited = waits.map(({ ms }) => ms)
  const gaps = waits.flatMap(({ gapMs }) => (gapMs === null ? [] : [gapMs]))
  const report = {
    seed: SEED,
    exchanges: sent.length,
    tookS: Math.round(tookMs / 1000),
    values: readings.length,
    wrong,
    doubtful: readings.filter(({ doubt }) => doubt !== null).length,
    late: status.lateFrames,
    timeouts: status.health.errors.timeout,
    lineChanges: status.lineChanges,
    lineChangeMs: status.lineChangeMs,
    utilisation: status.utilisation,
    opens: status.opens,
    worstOfPredicted: Math.max(...paces.map(({ share }) => share)),
    worstOfAsked: Math.max(...paces.map(({ measuredMs, everyMs }) => measuredMs / everyMs)),
    predictedOfAsked: Math.max(...paces.map(({ predictedMs, everyMs }) => predictedMs / everyMs)),
    writes: writes.length,
    writeWaitMs: { median: percentile(waited, 0.5), p95: percentile(waited, 0.95), most: Math.max(...waited) },
    writeWaitUnansweredMs: Math.max(0, ...waits.flatMap(({ ms, gapMs }) => (gapMs === null ? [ms] : []))),
    writeGapMs: { median: percentile(gaps, 0.5), most: Math.max(...gaps), answered: gaps.length },
    worstOfPredictedOwn: Math.max(...paces.map(({ ownShare }) => ownShare)),
    stalls: { count: stalls.length, share: stalledShare, mostMs: Math.max(0, ...stalls.map(({ ms }) => ms)) },
    slowGaps: waits.filter(({ gapMs }) => gapMs !== null && gapMs > GAP_MS),
  }
  process.stdout.write(`${JSON.stringify(report)}\n`)

  expect(wrong).toEqual([])
  expect(misdirected).toEqual([])
  // Marked values are next to none: a mark on everything would prove nothing.
  expect(report.doubtful).toBeLessThan(0.1 * LATE * EXCHANGES + 5)
  expect(readings.length).toBeGreaterThan(0.7 * EXCHANGES)
  expect(status.lateFrames).toBeGreaterThan(Math.floor(EXCHANGES / 2000))
  expect(status.lineChanges).toBeGreaterThan(2)
  expect(status.opens).toBe(1)
  expect(paces.filter(({ ownShare }) => ownShare >= 1.2)).toEqual([])
  expect(writes.length).toBeGreaterThan(EXCHANGES / 100)
  expect(waits.filter(({ passed }) => passed !== 0)).toEqual([])
  expect(gaps.length).toBeGreaterThan(0.3 * waits.length)
  const own = waits.map(({ gapMs, stalledMs }) => (gapMs ?? 0) - stalledMs)
  expect(Math.max(...own)).toBeLessThan(GAP_MS + SLACK_MS)
  expect(waits.filter(({ ms, mayMs }) => ms > mayMs + SLACK_MS)).toEqual([])
})
