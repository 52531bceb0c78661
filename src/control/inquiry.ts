/**
 * A question by hand: one read of one address on one wire, or who is there. There is no way to say a write with it. The same words
 * serve on a running bus (in idle time, or ahead of the polls) and on a wire that nobody else has open.
 */
import { z } from 'zod'
import type { RunningBus } from '../bus/bus.ts'
import { byHand, type ReadingWords } from '../driver/byhand.ts'
import { parseLine } from '../driver/units.ts'
import { causeText } from '../model/fault.ts'
import type { ProtocolName } from '../model/site.ts'
import { printHex } from '../bytes/hex.ts'
import { readAddress as whoCjt188 } from '../protocols/cjt188/index.ts'
import { readAddress as whoDlt645 } from '../protocols/dlt645/index.ts'
import { ask as askMbus } from '../protocols/mbus/index.ts'
import { questionOf } from '../protocols/modbus/question.ts'
import type { Address, Question } from '../protocols/protocol.ts'

/** What is read. `who`: the device itself, by the way its protocol has for that. */
export const what = z.union([
  z.strictObject({
    who: z.literal(true),
    type: z.int().min(0).max(255).optional(),
    identifier: z.enum(['901F', '1F90']).optional(),
  }),
  z.strictObject({
    at: z.string().min(1).max(200),
    as: z.string().max(32).optional(),
    order: z.enum(['ABCD', 'CDAB', 'BADC', 'DCBA']).optional(),
    length: z.int().min(1).max(250).optional(),
    count: z.int().min(1).max(125).optional(),
    field: z.string().max(64).optional(),
    options: z.record(z.string().max(32), z.union([z.number(), z.boolean(), z.string().max(64)])).optional(),
  }),
])

export const inquiry = z.strictObject({
  protocol: z.enum(['modbus', 'dlt645', 'cjt188', 'mbus']),
  address: z.union([z.int().min(0).max(255), z.string().min(1).max(32)]),
  what,
  /** `9600 8N1`; left out: the bus's own. */
  line: z.string().max(16).optional(),
  ascii: z.boolean().optional(),
  timeoutMs: z.int().min(20).max(5000).optional(),
  /** Only while nothing else is due. */
  idle: z.boolean().default(false),
})

export type Inquiry = z.infer<typeof inquiry>
export type What = z.infer<typeof what>

/** What came. `silent`: nothing; `garbled`: bytes that are no frame, as of several that answer at once. */
export const heard = z.strictObject({
  outcome: z.enum(['answer', 'refused', 'silent', 'garbled', 'unsent']),
  /** Hexadecimal; of the answer and of its follow-ons. */
  bodies: z.array(z.string()),
  /** As it travels: `exception:2`; null: none. */
  fault: z.string().nullable(),
  /** A gateway speaks for a device that it does not reach. */
  unreached: z.boolean(),
  ms: z.number().nullable(),
})

export type Heard = z.infer<typeof heard>

/** Waits for whatever it asks; null: the wire does not take it now (busy, or gone). */
export type Ask = (inquiry: Inquiry) => Promise<Heard>

/** A sentence: why this cannot be asked. */
export function questionFor({ protocol, address, what: wanted }: Inquiry): Question | string {
  const to = addressOf(protocol, address)
  if (typeof to === 'object') return to.why
  if ('who' in wanted) return whoIs(protocol, to, wanted)
  const made = byHand(wordsOf(protocol, wanted))
  if (typeof made === 'string') return made
  const question = made.block.ask(to)
  // Nothing here may change a device, whatever the words were.
  return question.writes ? `${wanted.at} cannot be read` : question
}

export function wordsOf(protocol: ProtocolName, wanted: Exclude<What, { who: true }>): ReadingWords {
  const { at, as, order, length, count, field, options } = wanted
  return {
    protocol,
    at,
    ...(as === undefined ? {} : { as }),
    ...(order === undefined ? {} : { order }),
    ...(length === undefined ? {} : { length }),
    ...(count === undefined ? {} : { count }),
    ...(field === undefined ? {} : { field }),
    ...(options === undefined ? {} : { options }),
  }
}

/** Wildcards are addresses, too, where somebody looks for whoever is there. */
const ADDRESSES: Readonly<Record<ProtocolName, { readonly form: RegExp; readonly why: string }>> = {
  modbus: { form: /^([1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])$/, why: 'a Modbus unit is 1 to 247 (over TCP up to 255)' },
  dlt645: { form: /^A*\d{0,12}$/, why: 'a DL/T 645 number has 12 digits; A in front stands for any' },
  cjt188: { form: /^(A{14}|[0-9A-Fa-f]{14})$/, why: 'a CJ/T 188 number has 14 digits; all A stands for any' },
  mbus: {
    form: /^(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-4]|[0-9F]{8}([0-9A-F]{8})?)$/,
    why: 'an M-Bus address is 0 to 250, 254 for whoever is there, or the digits of the number; F stands for any',
  },
}

function addressOf(protocol: ProtocolName, address: Address): Address | { readonly why: string } {
  const text = String(address).toUpperCase()
  const { form, why } = ADDRESSES[protocol]
  const whole = protocol !== 'dlt645' || text.length === 12
  if (!form.test(text) || !whole) return { why: `"${address}": ${why}` }
  if (protocol === 'modbus') return Number(text)
  if (protocol === 'mbus') return text.length < 8 ? Number(text) : text.padEnd(16, 'F')
  return text
}

const DEVICE_IDENTIFICATION = { fc: 43, category: 1, object: 0 } as const
const ANY_TYPE = 0xaa

function whoIs(protocol: ProtocolName, address: Address, { type, identifier }: Extract<What, { who: true }>): Question {
  switch (protocol) {
    case 'modbus':
      return questionOf(DEVICE_IDENTIFICATION, address)
    case 'dlt645':
      return { ...whoDlt645(), address }
    case 'cjt188':
      return { ...whoCjt188({ type: type ?? ANY_TYPE, identifier: identifier ?? '901F' }), address }
    case 'mbus':
      return askMbus(address, 1)
  }
}

/** How long a busy wire is waited for. */
const IDLE_EXPIRES_MS = 25_000

/** Rejects with RangeError for a protocol that does not run on this wire. */
export async function askBus(bus: Pick<RunningBus, 'ask'>, wanted: Inquiry): Promise<Heard | string> {
  const question = questionFor(wanted)
  if (typeof question === 'string') return question
  const line = wanted.line === undefined ? null : parseLine(wanted.line)
  if (wanted.line !== undefined && line === null) return `"${wanted.line}" is no line setting: write it like 9600 8N1`
  const result = await bus.ask({
    protocol: wanted.protocol,
    address: question.address,
    question,
    idle: wanted.idle,
    expiresMs: IDLE_EXPIRES_MS,
    ...(line === null ? {} : { line }),
    ...(wanted.ascii === undefined ? {} : { ascii: wanted.ascii }),
    ...(wanted.timeoutMs === undefined ? {} : { limits: { timeoutMs: wanted.timeoutMs, retries: 0 } }),
  })
  const nothing = { bodies: [], unreached: false, ms: null }
  if (result.kind === 'unsent') return { ...nothing, outcome: 'unsent', fault: result.why }
  if (result.kind === 'answer')
    return {
      ...nothing,
      outcome: 'answer',
      bodies: result.bodies.map((body) => printHex(body)),
      fault: null,
      ms: tenths(result.ms),
    }
  const { fault, means } = result
  const outcome =
    fault.kind === 'timeout'
      ? 'silent'
      : fault.kind === 'crc'
        ? 'garbled'
        : fault.kind === 'closed'
          ? 'unsent'
          : 'refused'
  const unreached = means === 'unreached' || means === 'unheard'
  return { ...nothing, outcome, fault: causeText(fault), unreached, ms: tenths(result.ms) }
}

function tenths(ms: number | null): number | null {
  return ms === null ? null : Math.round(10 * ms) / 10
}
