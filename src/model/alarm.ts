/** Rules, their live alarms, and what is said of them (ISA-18.2 / IEC 62682: two axes, active and acknowledged). */
import type { Text, Value } from './point.ts'

export type Priority = 'critical' | 'high' | 'medium' | 'low'

/** A level, not a command: `value` while the alarm is raised, `onClear` (if given) while it is normal. */
export type Output = { readonly point: number; readonly value: Value; readonly onClear: Value | null }

export type Rule = {
  /** `water_supply_lost`, `pump_1.dry_run`, or a built-in: `device_offline.pump_1`, `bus_offline.riser_b3`, `disk_full`. */
  readonly id: string
  /** The device it concerns (index), null for a rule of the site. In `when` of a device's rule its points stand bare. */
  readonly device: number | null
  /** CEL. */
  readonly when: string
  readonly onDelayMs: number
  readonly offDelayMs: number
  /** Stays active until acknowledged. */
  readonly latch: boolean
  readonly priority: Priority
  readonly text: Text
  readonly advice: Text | null
  readonly do: readonly Output[]
}

export type AlarmEvent =
  | 'raised'
  | 'cleared'
  | 'acked'
  | 'unacked'
  | 'shelved'
  | 'unshelved'
  | 'suppressed'
  | 'unsuppressed'
  | 'updated'

/**
 * One change of one occurrence, in the form in which it travels and is stored: uplink contract, section 6.
 * Key order here is of no meaning: the stored text is canonical (RFC 8785).
 */
export type Transition = {
  readonly id: string
  readonly rv: number
  readonly ev: AlarmEvent
  readonly rule: string
  readonly i: string | null
  readonly place: Readonly<Record<string, string>>
  readonly pri: Priority
  readonly active: boolean
  readonly acked: boolean
  readonly shelved: { readonly by: string; readonly why: string; readonly until: number } | null
  readonly suppressed: string | null
  readonly at: number
  readonly raised: number
  readonly inputs: Readonly<Record<string, Value | null>>
  readonly limit: number | string | null
  readonly n: number
  readonly text: Text
  readonly advice: Text | null
  readonly by: string | null
}

/** A live occurrence: from raise until it is both cleared and acknowledged. `no` is the short number that people type. */
export type Alarm = {
  readonly no: number
  readonly last: Transition
}
