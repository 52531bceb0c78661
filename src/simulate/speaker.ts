/** One device that publishes: what it says next, in its family's words, and how a fault spoils it. */
import type { Value } from '../model/point.ts'
import type { Cell, SimulatedDevice } from './devices.ts'
import type { Faults, Misdeed } from './faults.ts'
import type { Field, Firmware, Moment, Said } from './firmware/firmware.ts'
import type { Later } from './line.ts'
import { Mouth } from './mouth.ts'
import { rawOf } from './spoken.ts'

/** No UTF-8 has it. */
const NO_TEXT = 0xff

export type SpeakerOptions = {
  readonly device: SimulatedDevice
  readonly firmware: Firmware
  readonly base: string
  readonly faults: Faults
  readonly later: Later
  readonly seed: number
  readonly utc: () => number
  /** false: there is no connection, or no right to say it. */
  readonly send: (topic: string, payload: string | Buffer, retain: boolean) => boolean
}

export class Speaker {
  readonly device: SimulatedDevice
  readonly #options: SpeakerOptions
  readonly #mouth: Mouth
  readonly #began: number
  /** What it has told, and what it has noticed of itself. */
  readonly #told = new Map<Cell, Value>()
  readonly #noticed = new Map<Cell, Value>()
  #count = 0

  constructor(options: SpeakerOptions) {
    this.device = options.device
    this.#options = options
    this.#mouth = new Mouth(options.later)
    this.#began = options.utc()
  }

  /** Its bridge says for it whether it is there. */
  get isCarried(): boolean {
    const { firmware, base } = this.#options
    return firmware.availability(base) !== null
  }

  /** After connecting. */
  greet(): void {
    const { firmware, base } = this.#options
    this.announce()
    if (this.device.paused) return
    for (const message of firmware.hello?.(base, this.#moment()) ?? []) this.#say(message, message)
    this.report()
  }

  announce(): void {
    const { firmware, base, send } = this.#options
    const presence = firmware.availability(base)
    if (presence !== null) send(presence.topic, this.device.paused ? presence.offline : presence.online, true)
  }

  /** A switch, a state or an event that moved is told at once; a measurement waits for its turn. */
  look(): void {
    const moved = this.device.cells.filter((cell) => {
      const value = this.device.value(cell)
      return typeof value !== 'number' && this.#noticed.has(cell) && this.#noticed.get(cell) !== value
    })
    if (moved.some((cell) => cell.point.kind !== 'event' || this.device.value(cell) !== '')) this.report()
    else for (const cell of moved) this.#noticed.set(cell, this.device.value(cell))
  }

  /** `pressed`: this was set now, and happens although it may have been so before. */
  report(pressed?: Cell): void {
    const { firmware, base } = this.#options
    if (this.device.paused) return
    const fields = this.device.cells.flatMap((cell) => this.#fieldOf(cell, cell === pressed))
    const moment = this.#moment()
    const messages = firmware.report(base, fields, moment)
    const foreign = firmware.report(firmware.another(base), fields, moment)
    for (const [at, message] of messages.entries()) this.#say(message, foreign[at] ?? message)
    if (messages.length > 0) this.#count += 1
  }

  #moment(): Moment {
    const { utc, seed } = this.#options
    return { id: this.device.device.id, at: utc(), began: this.#began, count: this.#count, seed }
  }

  #fieldOf(cell: Cell, pressed: boolean): Field[] {
    const { source, kind } = cell.point
    if (source.from !== 'field' || source.place.protocol !== 'payload') return []
    const value = this.device.value(cell)
    const before = this.#noticed.get(cell)
    this.#noticed.set(cell, value)
    // An event without a word is none; labels need not know of it.
    const raw = value === '' ? '' : rawOf(source.treatment, value)
    const isNew = pressed || (kind === 'event' ? value !== before : value !== this.#told.get(cell))
    return [{ cell, path: source.place.path, value, raw, kind, isNew }]
  }

  #say(message: Said, foreign: Said): void {
    const misdeed = this.#options.faults.next(this.device.device.id)
    if (misdeed.silent) return
    const isTrue = misdeed.garbleAt === null && !misdeed.wrongUnit
    const { topic, payload, retain } = misdeed.wrongUnit ? foreign : message
    this.#mouth.say(misdeed.delayMs, () => {
      if (this.device.paused) return
      const sent = this.#options.send(topic, garbled(payload, misdeed), retain ?? false)
      if (!sent) this.device.lost += 1
      else if (isTrue) for (const { cell, value } of message.fields) this.#tell(cell, value)
    })
  }

  #tell(cell: Cell, value: Value): void {
    this.#told.set(cell, value)
    this.device.told(cell, value)
  }
}

/** A document that was cut off is none; in a bare word, where any part could be one, stands a byte that is no text. */
function garbled(payload: string, { garbleAt }: Misdeed): string | Buffer {
  if (garbleAt === null) return payload
  const bytes = Buffer.from(payload)
  const at = Math.floor(garbleAt * bytes.length)
  if (/^[{[]/.test(payload)) return bytes.subarray(0, Math.max(1, at))
  bytes[at] = NO_TEXT
  return bytes
}
