/**
 * What operations answer: the shapes that programs rely on. More fields may come, these stay.
 * The command line imports only the types, so zod stays out of it.
 */
import * as z from 'zod'
import { busHealth, deviceHealth } from './shapes-health.ts'

const text = z.strictObject({ en: z.string(), zh: z.string() })
const value = z.union([z.number(), z.boolean(), z.string()])
/** UTC ms. */
const time = z.number()
const errors = z.strictObject({ timeout: z.int(), crc: z.int(), exception: z.int() })

export const pointRow = z.strictObject({
  point: z.string(),
  /** null while quality is bad. */
  value: value.nullable(),
  unit: z.string().nullable(),
  quality: z.enum(['good', 'uncertain', 'bad']),
  cause: z.string().nullable(),
  /** What an error code of the device means, where its protocol has words for it. */
  reason: text.optional(),
  /** When it was taken; of a point that was never read, since when that is so. */
  at: time,
  title: text.optional(),
})

export const deviceRow = z.strictObject({
  device: z.string(),
  driver: z.string(),
  /** null: it publishes, or is composed of other devices' points. */
  bus: z.string().nullable(),
  state: z.enum(['online', 'degraded', 'offline', 'maintenance']),
  lastGood: time.nullable(),
  errors,
  name: text,
  place: z.record(z.string(), z.string()),
  /** What reaches it: address on its bus, topic, or null. */
  address: z.string().nullable(),
  cause: z.string().nullable(),
  reason: text.optional(),
  since: time.nullable(),
  latencyMs: z.number().nullable(),
  /** null: nobody asks it on a wire, it is offline, or was not heard of yet. */
  health: deviceHealth.nullable(),
  /** The address of somebody else who answers in its place, and answers of that kind that were held back. */
  answersAs: z.string().nullable(),
  misaddressed: z.int(),
  /** Of one device only. */
  model: text.optional(),
  points: z.array(pointRow).optional(),
})

export const busRow = z.strictObject({
  bus: z.string(),
  wire: z.string(),
  state: z.enum(['online', 'offline']),
  utilisation: z.number(),
  cycleMs: z.number().nullable(),
  predictedMs: z.number().nullable(),
  cause: z.string().nullable(),
  since: time.nullable(),
  errors,
  devices: z.strictObject({ total: z.int(), online: z.int() }),
  /** Usual reply time over its devices. */
  latencyMs: z.number().nullable(),
  health: busHealth,
})

export const alarmRow = z.strictObject({
  no: z.int(),
  id: z.string(),
  rule: z.string(),
  device: z.string().nullable(),
  priority: z.enum(['critical', 'high', 'medium', 'low']),
  state: z.enum(['unacknowledged', 'acknowledged', 'returned', 'shelved', 'suppressed', 'out_of_service']),
  active: z.boolean(),
  acked: z.boolean(),
  raisedAt: time,
  place: z.record(z.string(), z.string()),
  inputs: z.record(z.string(), value.nullable()),
  text,
  advice: text.nullable(),
  /** How often it came back while it was live. */
  repeats: z.int(),
})

const lane = z.strictObject({
  ep: z.string(),
  hi: z.int(),
  ack: z.int(),
  kept: z.int(),
  waiting: z.int(),
  oldestWaitingMs: z.number().nullable(),
  /** Samples (entries, for lanes a and e) declared dropped in this boot. */
  dropped: z.int(),
})
export const outboxOfUplink = z.strictObject({ t: lane, a: lane, e: lane })

export const problem = z.strictObject({
  kind: z.enum([
    'bus_offline',
    'device_offline',
    'device_degraded',
    'uplink_down',
    'uplink_undelivered',
    'uplink_budget',
    'store_not_durable',
    'store_behind',
    'clock_untrusted',
  ]),
  /** Which bus, device or uplink; null: the gateway itself. */
  subject: z.string().nullable(),
  cause: z.string().nullable(),
  since: time.nullable(),
  /** Devices behind a dead bus; ms that the store is behind. */
  count: z.number().nullable(),
  /** Of a device that is not steady. */
  health: deviceHealth.optional(),
  /** Who answers in the place of this device. */
  answersAs: z.string().optional(),
})

const latency = z.strictObject({ count: z.int(), p50: z.number(), p99: z.number() })

export const status = z.strictObject({
  site: z.string(),
  gateway: z.string(),
  version: z.string(),
  uptimeS: z.int(),
  clock: z.strictObject({ trusted: z.boolean(), quality: z.int(), at: time }),
  devices: z.strictObject({ total: z.int(), online: z.int() }),
  points: z.strictObject({ total: z.int(), good: z.int(), uncertain: z.int(), bad: z.int() }),
  store: z.strictObject({
    samplesCommitted: z.int(),
    bytes: z.number(),
    lagMs: z.number(),
    durable: z.boolean(),
    commitEveryMs: z.number(),
    wearBytesPerDay: z.number(),
  }),
  uplinks: z.record(
    z.string(),
    z.strictObject({
      connected: z.boolean(),
      waitingBatches: z.int(),
      waitingSamples: z.int(),
      oldestWaitingMs: z.number().nullable(),
      server: z.string().nullable(),
      reason: z.string().nullable(),
      held: z.enum(['budget', 'undelivered']).nullable(),
    }),
  ),
  /** Neither shelved nor suppressed. */
  alarms: z.strictObject({ active: z.int(), unacknowledged: z.int() }),
  siteName: text,
  epoch: z.string(),
  boot: z.int(),
  buses: z.array(busRow),
  broker: z.strictObject({ listening: z.array(z.string()), clients: z.int() }).nullable(),
  process: z.strictObject({
    rssBytes: z.number(),
    cpuMs: z.number(),
    loopLagP99Ms: z.number(),
    alarmToOutputMs: latency,
    alarmToDurableMs: latency,
  }),
  /** What is broken, worst first. */
  problems: z.array(problem),
  /** The most important live alarms, at most five. */
  alarmsFirst: z.array(alarmRow),
})

export const writeAnswer = z.strictObject({
  point: z.string(),
  value,
  outcome: z.enum(['done', 'refused', 'expired', 'unknown']),
  readBack: value.nullable(),
  /** For programs: `word: sentence`, or a fault's word. */
  cause: z.string().nullable(),
  /** The cause for people, where it is more than a word. */
  reason: text.optional(),
})

export const historyAnswer = z.strictObject({
  point: z.string(),
  unit: z.string().nullable(),
  rows: z.array(
    z.tuple([
      time,
      z.number().nullable(),
      z.number().nullable(),
      z.number().nullable(),
      z.union([z.number(), z.string()]).nullable(),
      z.int(),
    ]),
  ),
  everyMs: z.number(),
  timezone: z.string(),
  /** There were more rows than one answer holds: the oldest are missing. */
  truncated: z.boolean(),
})

export const ackAnswer = z.strictObject({ acknowledged: z.array(z.int()), already: z.array(z.int()) })
export const pingAnswer = z.strictObject({ version: z.string(), at: time })

export type PointRow = z.infer<typeof pointRow>
export type DeviceRow = z.infer<typeof deviceRow>
export type BusRow = z.infer<typeof busRow>
export type AlarmRow = z.infer<typeof alarmRow>
export type UplinkOutbox = z.infer<typeof outboxOfUplink>
export type Problem = z.infer<typeof problem>
export type Status = z.infer<typeof status>
export type WriteAnswer = z.infer<typeof writeAnswer>
export type HistoryAnswer = z.infer<typeof historyAnswer>
export type AckAnswer = z.infer<typeof ackAnswer>
export type PingAnswer = z.infer<typeof pingAnswer>
