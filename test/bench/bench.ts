/**
 * `npm run bench [-- --json] [--seconds 20] [--only NAME]`: figures of the real daemon over real sockets on this machine.
 * Machines differ and are noisy: compare lines of one run, do not promise them.
 */
import { parseArgs } from 'node:util'
import { cpuMs, type Load, openRig, pause, type Rig, rssMb, writeCounter } from './rig.ts'

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '20' },
    only: { type: 'string' },
  },
})
const seconds = Number(options.seconds)

type Figure = { readonly name: string; readonly value: number; readonly unit: string; readonly note?: string }
const figures: Figure[] = []

function say(figure: Figure): void {
  const rounded = { ...figure, value: Number(figure.value.toPrecision(4)) }
  figures.push(rounded)
  if (!options.json) {
    process.stdout.write(
      `${figure.name.padEnd(58)} ${String(rounded.value).padStart(12)} ${figure.unit}${figure.note ? `   (${figure.note})` : ''}\n`,
    )
  }
}

async function firstGood(rig: Rig): Promise<number> {
  for (;;) {
    if ((await rig.status()).points.good > 0) return Date.now() - rig.startedAt
    await pause(5)
  }
}

/** Runs a load in steady state and tells what it costs. */
async function steady(name: string, load: Load): Promise<void> {
  const rig = await openRig(load)
  try {
    await firstGood(rig)
    await pause(5000)
    const before = await rig.status()
    const written = writeCounter(rig.dir, rig.pid)
    const [cpu0, bytes0, at0] = [cpuMs(rig.pid), written.read(), performance.now()]
    await pause(seconds * 1000)
    const [cpu1, bytes1, at1] = [cpuMs(rig.pid), written.read(), performance.now()]
    const after = await rig.status()
    const samples = after.store.samplesCommitted - before.store.samplesCommitted
    const wall = at1 - at0
    say({ name: `${name}: samples committed`, value: (samples / wall) * 1000, unit: 'samples/s' })
    say({ name: `${name}: CPU`, value: ((cpu1 - cpu0) / wall) * 100, unit: '% of a core' })
    say({ name: `${name}: CPU per million samples`, value: ((cpu1 - cpu0) / samples) * 1000, unit: 's' })
    say({ name: `${name}: resident memory`, value: rssMb(rig.pid), unit: 'MB' })
    say({ name: `${name}: event-loop lag p99`, value: after.process.loopLagP99Ms, unit: 'ms' })
    say({
      name: `${name}: written per sample`,
      value: (bytes1 - bytes0) / samples,
      unit: 'bytes',
      note: written.source === 'block' ? 'block device, all writers on it' : '/proc/self/io',
    })
  } finally {
    await rig.stop()
  }
}

/** A register goes above its limit and back, again and again, while 2,000 points are polled and forwarded. */
async function alarmLatency(): Promise<void> {
  const rig = await openRig({ devices: 20, registers: 100, every: '200ms', rules: 200, uplink: true })
  try {
    await firstGood(rig)
    for (let k = 0; k < 60; k++) {
      rig.device.child.stdin?.write(`set ${k % 2 === 0 ? 200 : 0}\n`)
      await pause(450)
    }
    const { process: cost } = await rig.status()
    const note = `${cost.alarmToOutputMs.count} edges, 10,000 samples/s, commits and uplink on`
    say({ name: 'alarm: reply received to output called, p50', value: cost.alarmToOutputMs.p50, unit: 'ms', note })
    say({ name: 'alarm: reply received to output called, p99', value: cost.alarmToOutputMs.p99, unit: 'ms' })
    say({ name: 'alarm: reply received to durable, p50', value: cost.alarmToDurableMs.p50, unit: 'ms' })
    say({ name: 'alarm: reply received to durable, p99', value: cost.alarmToDurableMs.p99, unit: 'ms' })
  } finally {
    await rig.stop()
  }
}

async function startUp(): Promise<void> {
  const times: number[] = []
  for (let k = 0; k < 5; k++) {
    const rig = await openRig({ devices: 8, registers: 100, every: '1s', rules: 20, uplink: false })
    times.push(await firstGood(rig))
    await rig.stop()
  }
  times.sort((a, b) => a - b)
  say({ name: 'start to first good value, median of 5', value: times[2] ?? Number.NaN, unit: 'ms' })
}

const SCENARIOS: Record<string, () => Promise<void>> = {
  start: startUp,
  points_800: () => steady('800 points at 1 s', { devices: 8, registers: 100, every: '1s', rules: 80, uplink: true }),
  points_2000: () =>
    steady('2,000 points at 1 s', { devices: 20, registers: 100, every: '1s', rules: 200, uplink: true }),
  saturated: () =>
    steady('20 devices x 100 registers, saturated', {
      devices: 20,
      registers: 100,
      every: '10ms',
      rules: 0,
      uplink: true,
    }),
  alarm: alarmLatency,
}

for (const [name, run] of Object.entries(SCENARIOS))
  if (options.only === undefined || options.only === name) await run()
if (options.json) process.stdout.write(`${JSON.stringify({ node: process.version, seconds, figures })}\n`)
