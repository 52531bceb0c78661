/** What is measured, each over a daemon of its own. */
import { spawn } from 'node:child_process'
import { codecs } from './codecs.ts'
import { blockCounter, cpuMs, processWritten, rssMb } from './counters.ts'
import type { Program } from './program.ts'
import { CLOUD, firstGood, type Load, layRig, openRig, pause, type Rig } from './rig.ts'

export type Figure = { readonly name: string; readonly value: number; readonly unit: string; readonly note?: string }

export type Bench = {
  readonly program: Program
  readonly seconds: number
  readonly say: (figure: Figure) => void
}

/** By then all that is hot is compiled: a gateway runs for months. */
const WARM_UP_MS = 15_000
/** A write-ahead log is 1 MiB, a commit about 9 KiB of it. */
const WEAR_WARM_UP_MS = 130_000
const WEAR_MS = 120_000
const DRAIN_MS_MAX = 120_000
/** Long enough that some of it is left after a minute beside live data. */
const BACKLOG_MS = 45_000
/** So long after the last live batch a backlog makes room for the next; and a little more. */
const LIVE_MS = 62_000

/** What others write to the disk meanwhile, bytes per second: measured just before, with everything but the gateway running. */
async function idleNoise(dir: string, seconds: number): Promise<number> {
  const counter = blockCounter(dir)
  if (counter === null) return 0
  const before = counter()
  await pause(seconds * 1000)
  return (counter() - before) / seconds
}

/** Runs a load in steady state and tells what it costs. */
async function steady(bench: Bench, name: string, load: Load): Promise<void> {
  const { program, seconds, say } = bench
  const rig = await layRig(program, load)
  try {
    await rig.startCloud()
    const noise = await idleNoise(rig.dir, seconds)
    await rig.startGateway()
    await firstGood(rig)
    await pause(WARM_UP_MS)
    const before = await rig.status()
    const block = blockCounter(rig.dir)
    const start = {
      cpu: cpuMs(rig.pid()),
      block: block?.() ?? 0,
      own: processWritten(rig.pid()),
      at: performance.now(),
    }
    await pause(seconds * 1000)
    const wall = performance.now() - start.at
    const cpu = cpuMs(rig.pid()) - start.cpu
    const own = processWritten(rig.pid()) - start.own
    const written = (block?.() ?? 0) - start.block - (noise * wall) / 1000
    const rss = rssMb(rig.pid())
    const after = await rig.status()
    const samples = after.store.samplesCommitted - before.store.samplesCommitted
    say({ name: `${name}: socket to commit`, value: (samples / wall) * 1000, unit: 'samples/s' })
    say({ name: `${name}: CPU`, value: (cpu / wall) * 100, unit: '% of a core' })
    say({ name: `${name}: CPU per million samples`, value: (cpu / samples) * 1000, unit: 's' })
    say({ name: `${name}: resident memory`, value: rss, unit: 'MB' })
    say({ name: `${name}: event-loop lag p99`, value: after.process.loopLagP99Ms, unit: 'ms' })
    const noted = `idle noise of ${Math.round(noise / 1024)} KiB/s, measured before, is taken off`
    if (block !== null)
      say({ name: `${name}: written per sample, block device`, value: written / samples, unit: 'bytes', note: noted })
    say({
      name: `${name}: written per sample, the process itself`,
      value: own / samples,
      unit: 'bytes',
      note: '/proc/PID/io',
    })
    say({ name: `${name}: waiting for the cloud`, value: after.uplinks['cloud']?.waitingSamples ?? 0, unit: 'samples' })
  } finally {
    await rig.stop()
  }
}

/**
 * What a card sees in the long run: the write-ahead log has reached its length and lies where it is written over, and the time
 * measured is a whole round of it, with the copying into the database that ends it.
 */
async function wear(bench: Bench): Promise<void> {
  const { program, seconds, say } = bench
  const rig = await layRig(program, { ...TWENTY, every: '1s', rules: 200 })
  try {
    await rig.startCloud()
    const block = blockCounter(rig.dir)
    const noise = await idleNoise(rig.dir, seconds)
    await rig.startGateway()
    await pause(WEAR_WARM_UP_MS)
    const from = { block: block?.() ?? 0, own: processWritten(rig.pid()), at: performance.now() }
    const before = (await rig.status()).store.samplesCommitted
    await pause(WEAR_MS)
    const wall = performance.now() - from.at
    const written = (block?.() ?? 0) - from.block - (noise * wall) / 1000
    const own = processWritten(rig.pid()) - from.own
    const samples = (await rig.status()).store.samplesCommitted - before
    const name = '2,000 points at 1 s, in the long run: written per sample'
    const note = `${Math.round(wall / 1000)} s; idle noise of ${Math.round(noise / 1024)} KiB/s is taken off`
    if (block !== null) say({ name: `${name}, block device`, value: written / samples, unit: 'bytes', note })
    say({ name: `${name}, the process itself`, value: own / samples, unit: 'bytes', note: '/proc/PID/io' })
  } finally {
    await rig.stop()
  }
}

/** Each device's register 0 goes above its limit and back, while the others are polled, committed and a backlog drains. */
async function alarmLatency({ program, say }: Bench): Promise<void> {
  const devices = 20
  const rig = await layRig(program, {
    devices,
    registers: 100,
    every: '200ms',
    rules: 200,
    uplink: true,
    backfill: '{rate: 16KiB/s, delay: 0s}',
  })
  try {
    await rig.startGateway()
    await firstGood(rig)
    await pause(20_000)
    await rig.startCloud()
    while (!(await rig.status()).uplinks['cloud']?.connected) await pause(50)
    const backlog = (await rig.status()).uplinks['cloud']?.waitingSamples ?? 0
    // At most 10 raises a minute and rule: more would be parked as chatter.
    for (let k = 0; k < 16 * devices; k++) {
      rig.device.say(`set ${k % devices} ${Math.floor(k / devices) % 2 === 0 ? 200 : 0}`)
      await pause(100)
    }
    await pause(1000)
    const { process: cost, uplinks } = await rig.status()
    const note = `${cost.alarmToOutputMs.count} edges, 10,000 samples/s, drain of ${backlog} samples, ${uplinks['cloud']?.waitingSamples} left`
    say({ name: 'alarm: reply received to output called, p50', value: cost.alarmToOutputMs.p50, unit: 'ms', note })
    say({ name: 'alarm: reply received to output called, p99', value: cost.alarmToOutputMs.p99, unit: 'ms' })
    say({ name: 'alarm: reply received to durable, p50', value: cost.alarmToDurableMs.p50, unit: 'ms' })
    say({ name: 'alarm: reply received to durable, p99', value: cost.alarmToDurableMs.p99, unit: 'ms' })
  } finally {
    await rig.stop()
  }
}

async function startUp({ program, say }: Bench): Promise<void> {
  const times: number[] = []
  const rig = await layRig(program, { devices: 8, registers: 100, every: '1s', rules: 20, uplink: false })
  try {
    for (let k = 0; k < 5; k++) {
      await rig.startGateway()
      times.push(await firstGood(rig))
      await rig.stopGateway()
    }
  } finally {
    await rig.stop()
  }
  say({ name: 'start to first good value, median of 5', value: median(times), unit: 'ms' })
}

/** Of a verb that asks the running daemon: from the start of its process to its first byte. */
async function verbs({ program, say }: Bench): Promise<void> {
  const rig = await openRig(program, { devices: 8, registers: 100, every: '1s', rules: 20, uplink: false })
  try {
    await firstGood(rig)
    for (const verb of [['status'], ['points', 'dev_1.*'], ['alarms']]) {
      const times: number[] = []
      for (let k = 0; k < 8; k++) times.push(await firstByte(program, rig, verb))
      // The first one may fill the compile cache.
      say({ name: `gatehouse ${verb.join(' ')}: first output, median of 7`, value: median(times.slice(1)), unit: 'ms' })
    }
  } finally {
    await rig.stop()
  }
}

function firstByte(program: Program, rig: Rig, verb: readonly string[]): Promise<number> {
  const [command, ...args] = program.command
  const begun = performance.now()
  const child = spawn(command, [...args, ...verb, '-d', rig.data], { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    let first: number | null = null
    child.stdout.on('data', () => {
      first ??= performance.now() - begun
    })
    child.once('close', (code) => {
      if (first === null) reject(new Error(`${verb.join(' ')} ended with ${code} and said nothing`))
      else resolve(first)
    })
  })
}

/**
 * A backlog is made without a cloud; then the daemon is started anew beside one, over devices that stand still, limits off. In the
 * first minute what was just cut still counts as live data, beside which a backlog takes a quarter of the line; then it has it all.
 */
async function drain({ program, say }: Bench): Promise<void> {
  const load: Load = { devices: 20, registers: 100, every: '10ms', rules: 0, uplink: true }
  const rig = await layRig(program, { ...load, backfill: '{rate: 1GiB/s, delay: 0s}' })
  try {
    await rig.startGateway()
    await firstGood(rig)
    await pause(BACKLOG_MS)
    rig.device.say('noise off')
    await history(rig, say)
    await rig.stopGateway()
    await rig.startCloud()
    await rig.startGateway()
    say({ name: 'start to first good value, with that backlog', value: await firstGood(rig), unit: 'ms' })
    const seen: { at: number; waiting: number }[] = []
    const until = performance.now() + DRAIN_MS_MAX
    do {
      await pause(100)
      const box = (await rig.status()).uplinks['cloud']
      if (box?.connected) seen.push({ at: performance.now(), waiting: box.waitingSamples })
    } while ((seen.at(-1)?.waiting ?? 1) > 0 && performance.now() < until)
    const most = Math.max(...seen.map(({ waiting }) => waiting))
    const to = CLOUD === 'aedes' ? 'aedes' : 'mosquitto'
    const note = `${most} samples in all, ${seen.at(-1)?.waiting} left`
    const early = seen.filter(({ at }) => at < (seen[0]?.at ?? 0) + 30_000)
    const late = seen.filter(({ at, waiting }) => at > (seen[0]?.at ?? 0) + LIVE_MS && waiting > 0)
    say({ name: `drain to ${to} beside live data`, value: speed(early), unit: 'samples/s', note })
    say({ name: `drain to ${to}, limits off`, value: speed(late), unit: 'samples/s' })
  } finally {
    await rig.stop()
  }
}

/** Samples per second over the whole of it. */
function speed(seen: readonly { at: number; waiting: number }[]): number {
  const [first, last] = [seen[0], seen.at(-1)]
  if (first === undefined || last === undefined || last.at === first.at) return Number.NaN
  return ((first.waiting - last.waiting) / (last.at - first.at)) * 1000
}

async function history(rig: Rig, say: Bench['say']): Promise<void> {
  for (const [what, everyMs] of [
    ['raw', 0],
    ['minutes', 60_000],
  ] as const) {
    const times: number[] = []
    let rows = 0
    for (let k = 0; k < 5; k++) {
      const begun = performance.now()
      const answer = await rig.ask<{ rows: unknown[] }>('history', { point: 'dev_3.r_7', sinceMs: 86_400_000, everyMs })
      times.push(performance.now() - begun)
      rows = answer.rows.length
    }
    const note = `${rows} rows; median of 5`
    say({ name: `history of one point of the open hour, ${what}`, value: median(times), unit: 'ms', note })
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

const TWENTY = { devices: 20, registers: 100, uplink: true } as const

export const SCENARIOS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  codecs,
  start: startUp,
  verbs,
  points_800: (bench) =>
    steady(bench, '800 points at 1 s', { devices: 8, registers: 100, every: '1s', rules: 80, uplink: true }),
  points_2000: (bench) => steady(bench, '2,000 points at 1 s', { ...TWENTY, every: '1s', rules: 200 }),
  saturated: (bench) => steady(bench, '20 devices x 100 registers, saturated', { ...TWENTY, every: '10ms', rules: 0 }),
  wear,
  alarm: alarmLatency,
  drain,
}
