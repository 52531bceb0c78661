/**
 * What operations may ask of the running gateway: a view, not the rooms themselves. `gateway.ts` makes it out of the rooms it wired.
 * Times are monotonic ms of this boot unless a name says otherwise; operations turn them into UTC through `clock`.
 */
import type { RuleLook } from '../alarm/board.ts'
import type { RunningBus } from '../bus/bus.ts'
import type { Alarm } from '../model/alarm.ts'
import type { WriteOutcome, WriteRequest } from '../model/command.ts'
import type { Fault } from '../model/fault.ts'
import type { SiteDiff } from '../config/diff.ts'
import type { Finding } from '../driver/finding.ts'
import type { Role, Text } from '../model/point.ts'
import type { DeviceState, Sample } from '../model/sample.ts'
import type { Language, Site } from '../model/site.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Identity, Outbox, Store } from '../store/contract.ts'

/** Counted since the start of this process. */
export type ErrorCounts = { readonly timeout: number; readonly crc: number; readonly exception: number }

export type DeviceStatus = {
  readonly state: DeviceState
  /** When it entered this state; null: it has not been tried yet. */
  readonly sinceMono: number | null
  readonly cause: Fault | null
  readonly lastGoodMono: number | null
  readonly errors: ErrorCounts
  /** Usual time from request to reply; null: not known or not asked that way. */
  readonly latencyMs: number | null
}

export type BusStatus = {
  readonly state: 'online' | 'offline'
  readonly sinceMono: number | null
  readonly cause: Fault | null
  /** Share of the last minute in which the wire was busy, 0..1. */
  readonly utilisation: number
  /** How long one round of all polls took lately, and how long it should take; null: not known (yet). */
  readonly cycleMs: number | null
  readonly predictedMs: number | null
  readonly errors: ErrorCounts
}

export type UplinkStatus = {
  readonly connected: boolean
  readonly sinceMono: number | null
  /** The server it is, or was last, connected to. */
  readonly server: string | null
  /** Why it is not connected, in words; null while connected. */
  readonly reason: string | null
  /** Why batches wait although it is connected: the day's budget is used up, or nobody takes them from the server. null: for no such reason. */
  readonly held: 'budget' | 'undelivered' | null
}

export type BrokerStatus = { readonly listening: readonly string[]; readonly clients: number }

/** What is written down of a request that changes something: before it runs, and once its outcome is known. */
export type AuditEntry = {
  readonly id: string
  readonly operation: string
  /** As the caller calls itself; the socket's permissions are what was really checked. */
  readonly by: string
  readonly phase: 'begun' | 'ended'
  readonly input: Readonly<Record<string, unknown>>
  /** null while `begun`. */
  readonly outcome: string | null
}

export type Latency = { readonly count: number; readonly p50: number; readonly p99: number }

/** What this process costs, and how quick its alarms were since the start. */
export type ProcessStatus = {
  readonly rssBytes: number
  readonly cpuMs: number
  readonly loopLagP99Ms: number
  /** From the reply's arrival to the call of the local output. */
  readonly alarmToOutputMs: Latency
  /** From the reply's arrival to the durable alarm. */
  readonly alarmToDurableMs: Latency
}

export type GatewayView = {
  readonly version: string
  readonly startedMono: number
  readonly clock: Clock
  readonly identity: Identity
  /** The site in force: a reload replaces it, so ask each time. */
  readonly site: () => Site
  readonly latest: (point: number) => Sample
  /** Called after each turn with the points whose sample is new. Returns the way to stop. */
  readonly onTurn: (listener: (points: readonly number[]) => void) => () => void
  readonly device: (index: number) => DeviceStatus
  readonly bus: (index: number) => BusStatus
  /** The wire itself, for whoever looks into it: its counters, its devices, every chunk on it. */
  readonly wire: (index: number) => Pick<RunningBus, 'status' | 'devices' | 'listen' | 'ask'>
  readonly rules: {
    /** null: there is no such rule. */
    readonly look: (id: string) => RuleLook | null
    /** All, built-in ones too. */
    readonly ids: () => readonly string[]
    /** Those whose condition reads this point. */
    readonly watching: (point: number) => readonly string[]
  }
  readonly uplink: (id: string) => UplinkStatus
  readonly broker: () => BrokerStatus | null
  readonly store: Pick<Store, 'status' | 'history'> & {
    readonly outbox: (uplink: string) => Pick<Outbox, 'position' | 'oldestAt' | 'waiting'>
  }
  /** Live alarms: from raise until cleared and acknowledged. */
  readonly alarms: () => readonly Alarm[]
  /** Acknowledges these numbers; resolves with those that were not acknowledged before, once that is durable. */
  readonly acknowledge: (numbers: readonly number[], by: string) => Promise<readonly number[]>
  /**
   * Asks the field for these points (field points of bus devices) now, ahead of the polls. Resolves when the answers, or why
   * there are none, have reached the image; the signal ends the wait.
   */
  readonly refresh: (points: readonly number[], signal: AbortSignal) => Promise<void>
  /** Judges, writes, reads back: `bus/` for wires. Never rejects for what the field does. */
  readonly write: (request: WriteRequest, signal: AbortSignal) => Promise<WriteOutcome>
  /** Resolves once it is durable. */
  readonly audit: (entry: AuditEntry) => Promise<void>
  readonly process: () => ProcessStatus
  /** Small durable states that operations keep: null where there is none. */
  readonly state: (key: string) => string | null
  /** Resolves once it is durable. */
  readonly keep: (key: string, value: string) => Promise<void>
  /** Takes over the site file as it is now. */
  readonly reload: (by: string) => Promise<ReloadOutcome>
}

/** What became of a reload. Not applied, the old configuration is in force as before. */
export type ReloadOutcome = {
  readonly outcome: 'applied' | 'unchanged' | 'refused'
  readonly why: Text | null
  /** Of the file that was looked at; also warnings of one that was applied. */
  readonly findings: readonly Finding[]
  readonly changes: SiteDiff | null
  /** Version of the configuration in force, and before. */
  readonly cv: number
  readonly prev: number
  readonly tookMs: number
}

/**
 * Who asks. `name` is what the caller said; Node cannot ask the kernel for the peer of a Unix socket. `language` is for what is told in
 * one language only; left out: English.
 */
export type Caller = { readonly name: string; readonly role: Role; readonly language?: Language }

export type CallContext = {
  readonly view: GatewayView
  readonly log: Log
  readonly caller: Caller
  /** Aborted at the time limit; for what only reads, also when the caller has gone. */
  readonly signal: AbortSignal
}
