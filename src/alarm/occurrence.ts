/** Transitions of one occurrence, in the form in which they travel (uplink contract, section 6), and its durable text. */
import type { Alarm, AlarmEvent, Transition } from '../model/alarm.ts'
import type { Text, Value } from '../model/point.ts'
import type { Watch } from './rule.ts'

export type Raise = {
  readonly no: number
  readonly id: string
  /** UTC ms. */
  readonly at: number
  readonly inputs: Readonly<Record<string, Value | null>>
  /** What the one who stated the fact had to say. */
  readonly detail: Text | null
}

export function raise(watch: Watch, { no, id, at, inputs, detail }: Raise): Alarm {
  const { rule } = watch
  const text =
    detail === null ? rule.text : { en: `${rule.text.en} (${detail.en})`, zh: `${rule.text.zh}（${detail.zh}）` }
  return {
    no,
    last: {
      id,
      rv: 1,
      ev: 'raised',
      rule: rule.id,
      i: watch.i,
      place: watch.place,
      pri: rule.priority,
      active: true,
      acked: false,
      shelved: null,
      suppressed: null,
      at,
      raised: at,
      inputs,
      limit: watch.condition?.limit ?? null,
      n: 1,
      text,
      advice: rule.advice,
      by: null,
    },
  }
}

/** The next transition: `inputs` stay those of the raise. */
export function change(
  { no, last }: Alarm,
  ev: AlarmEvent,
  at: number,
  fields: Partial<Pick<Transition, 'active' | 'acked' | 'suppressed' | 'n' | 'by'>>,
): Alarm {
  return { no, last: { ...last, by: null, ...fields, ev, at, rv: last.rv + 1 } }
}

/** Live until cleared and acknowledged. */
export function isLive({ last }: Alarm): boolean {
  return last.active || !last.acked
}

/** Durable state of a rule's live occurrences. */
export type Kept = {
  readonly alarms: readonly Alarm[]
  readonly parked: boolean
}

const KEY = 'alarm.'

export function stateKey(rule: string): string {
  return `${KEY}${rule}`
}

export function ruleOfKey(key: string): string | null {
  return key.startsWith(KEY) ? key.slice(KEY.length) : null
}

export function writeKept(kept: Kept): string | null {
  return kept.alarms.length === 0 ? null : JSON.stringify(kept)
}

/** A text that is none of ours reads as nothing: an alarm that still holds is then raised anew. */
export function readKept(text: string): Kept {
  const kept = parse(text)
  const alarms = fieldOf(kept, 'alarms')
  if (!Array.isArray(alarms)) return { alarms: [], parked: false }
  return { alarms: alarms.filter(isAlarm), parked: fieldOf(kept, 'parked') === true }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined
}

/** Written by this file, so the marks that tell it from anything else are enough. */
function isAlarm(value: unknown): value is Alarm {
  const last = fieldOf(value, 'last')
  return (
    typeof fieldOf(value, 'no') === 'number' &&
    typeof fieldOf(last, 'id') === 'string' &&
    typeof fieldOf(last, 'rv') === 'number' &&
    typeof fieldOf(last, 'rule') === 'string' &&
    typeof fieldOf(last, 'active') === 'boolean' &&
    typeof fieldOf(last, 'acked') === 'boolean'
  )
}
