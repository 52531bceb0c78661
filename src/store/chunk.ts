/**
 * One commit's samples as bytes, and back, exactly (times in whole ms, -0 as 0).
 *
 * Three streams one after the other: scans (device, time, which of its points), one nibble per value (its form), values. A number
 * is stored as the integer of its decimal form with the fewest digits, as the difference to the same point's last one in the chunk
 * where there is one: 230.2 after 230.1 is one byte. What has no short decimal form is f32 where that is exact, else f64.
 * A chunk needs nothing but its layout to be read: damage stays in it.
 */
import { ByteReader, ByteWriter } from './bytes.ts'
import { EXCEPTION, FALSE, GOOD, NONE, NUMBER, type PackedSamples, type SamplePacker, TEXT, TRUE } from './packed.ts'

/** Where a point stands: its device and its place among that device's points. `at` is the way back. */
export type Layout = {
  readonly device: readonly number[]
  readonly slot: readonly number[]
  readonly at: readonly (readonly number[])[]
}

export type PackedRange = { readonly samples: PackedSamples; readonly from: number; readonly to: number }

// Nibbles 0..7: integer scaled by so many decimal digits.
const DIGITS_MAX = 7
const F32 = 8
const F64 = 9
const IS_FALSE = 10
const IS_TRUE = 11
const IS_TEXT = 12
const IS_BAD = 13
const IS_UNCERTAIN = 14

// How a scan names its points.
const SAME_AS_BEFORE = 0
const BITMAP = 1
const LIST = 2

const POWERS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000] as const
/** Beyond it a difference of two might not be exact. */
const SCALED_MAX = 2 ** 51
/** A varint from here on is longer than an f32. */
const LONGER_THAN_F32 = 2 ** 28
const LONGER_THAN_F64 = 2 ** 48

/** What is remembered of each point while a chunk is packed or unpacked. */
class Recall {
  #digits = new Int8Array(0)
  #scaled = new Float64Array(0)

  reset(points: number): void {
    if (this.#digits.length < points) {
      this.#digits = new Int8Array(points + 256)
      this.#scaled = new Float64Array(points + 256)
    }
    this.#digits.fill(-1, 0, points)
  }

  digits(point: number): number {
    return this.#digits[point] ?? -1
  }

  scaled(point: number): number {
    return this.#scaled[point] ?? 0
  }

  keep(point: number, digits: number, scaled: number): void {
    this.#digits[point] = digits
    this.#scaled[point] = scaled
  }
}

/** Fewest digits that give the number back exactly, the point's last ones first; -1 if there are none. */
function digitsOf(value: number, recalled: number): number {
  if (recalled >= 0 && isScaled(value, recalled)) return recalled
  for (let digits = 0; digits <= DIGITS_MAX; digits++) if (isScaled(value, digits)) return digits
  return -1
}

function isScaled(value: number, digits: number): boolean {
  const power = POWERS[digits] ?? 1
  const scaled = Math.round(value * power)
  return scaled / power === value && Math.abs(scaled) <= SCALED_MAX
}

class Nibbles {
  readonly bytes = new ByteWriter(256)
  #half = -1

  reset(): void {
    this.bytes.reset()
    this.#half = -1
  }

  put(nibble: number): void {
    if (this.#half < 0) this.#half = nibble
    else {
      this.bytes.byte((this.#half << 4) | nibble)
      this.#half = -1
    }
  }

  flush(): void {
    if (this.#half >= 0) this.put(0)
  }
}

const recall = new Recall()
const scans = new ByteWriter()
const nibbles = new Nibbles()
const values = new ByteWriter()

/** Packs samples `from`..`to` (exclusive), whose points are numbers of the layout. Times are relative to `monoBase`, a whole ms. */
export function packChunk(
  { samples, from, to }: PackedRange,
  layout: Layout,
  monoBase: number,
): Uint8Array<ArrayBuffer> {
  recall.reset(layout.device.length)
  scans.reset()
  nibbles.reset()
  values.reset()
  const presence = new Map<number, readonly number[]>()
  let time = 0
  let scanCount = 0
  for (let start = from; start < to; ) {
    const device = layout.device[samples.point[start] ?? 0] ?? 0
    const offset = Math.round(samples.mono[start] ?? 0) - monoBase
    const order = scanOf(samples, start, to, layout)
    scanCount++
    const slots = order.map((index) => layout.slot[samples.point[index] ?? 0] ?? 0)
    putPresence(device, slots, offset - time, presence)
    time = offset
    for (const index of order) putValue(samples, index)
    start += order.length
  }
  nibbles.flush()
  const out = new ByteWriter(scans.length + nibbles.bytes.length + values.length + 16)
  out.varint(to - from)
  out.varint(scanCount)
  out.varint(scans.length)
  out.varint(nibbles.bytes.length)
  out.bytes(scans.view())
  out.bytes(nibbles.bytes.view())
  out.bytes(values.view())
  return out.view()
}

/** The samples of the scan that begins at `start`: same device, same ms, each point once; in the order of their slots. */
function scanOf(samples: PackedSamples, start: number, to: number, layout: Layout): number[] {
  const device = layout.device[samples.point[start] ?? 0]
  const time = Math.round(samples.mono[start] ?? 0)
  const order = [start]
  let sorted = true
  let highest = layout.slot[samples.point[start] ?? 0] ?? 0
  let seen: Set<number> | null = null
  for (let at = start + 1; at < to; at++) {
    const point = samples.point[at] ?? 0
    if (layout.device[point] !== device || Math.round(samples.mono[at] ?? 0) !== time) break
    const slot = layout.slot[point] ?? 0
    if (slot <= highest) {
      seen ??= new Set(order.map((index) => layout.slot[samples.point[index] ?? 0] ?? 0))
      if (seen.has(slot)) break
      sorted = false
    } else highest = slot
    seen?.add(slot)
    order.push(at)
  }
  if (!sorted) {
    order.sort((a, b) => (layout.slot[samples.point[a] ?? 0] ?? 0) - (layout.slot[samples.point[b] ?? 0] ?? 0))
  }
  return order
}

function putPresence(
  device: number,
  slots: readonly number[],
  elapsed: number,
  presence: Map<number, readonly number[]>,
): void {
  const highest = slots.at(-1) ?? 0
  const isSame = isEqual(slots, presence.get(device))
  const mode = isSame ? SAME_AS_BEFORE : slots.length * 8 > highest ? BITMAP : LIST
  if (!isSame) presence.set(device, slots)
  scans.varint(device * 4 + mode)
  scans.zigzag(elapsed)
  if (mode === BITMAP) {
    const bitmap = new Uint8Array((highest >> 3) + 1)
    for (const slot of slots) bitmap[slot >> 3] = (bitmap[slot >> 3] ?? 0) | (1 << (slot & 7))
    scans.varint(bitmap.length)
    scans.bytes(bitmap)
  } else if (mode === LIST) {
    scans.varint(slots.length)
    let before = 0
    for (const slot of slots) {
      scans.varint(slot - before)
      before = slot
    }
  }
}

function isEqual(slots: readonly number[], before: readonly number[] | undefined): boolean {
  if (before === undefined || before.length !== slots.length) return false
  for (let at = 0; at < slots.length; at++) if (slots[at] !== before[at]) return false
  return true
}

function putValue(samples: PackedSamples, index: number): void {
  const kind = samples.kind[index] ?? NONE
  const cause = samples.cause[index] ?? GOOD
  const value = samples.value[index] ?? 0
  if (kind === NONE) {
    nibbles.put(IS_BAD)
    values.byte(cause)
    if (cause === EXCEPTION) values.varint(value)
    return
  }
  if (cause !== GOOD) {
    nibbles.put(IS_UNCERTAIN)
    values.byte(cause)
  }
  if (kind === NUMBER) putNumber(samples.point[index] ?? 0, value)
  else if (kind === TEXT) {
    nibbles.put(IS_TEXT)
    values.text(samples.texts[value] ?? '')
  } else nibbles.put(kind === TRUE ? IS_TRUE : IS_FALSE)
}

function putNumber(point: number, value: number): void {
  const before = recall.digits(point)
  const digits = digitsOf(value, before)
  if (digits >= 0) {
    const scaled = Math.round(value * (POWERS[digits] ?? 1))
    const difference = before === digits ? scaled - recall.scaled(point) : scaled
    const size = Math.abs(difference) * 2
    if (size < LONGER_THAN_F32 || (size < LONGER_THAN_F64 && Math.fround(value) !== value)) {
      nibbles.put(digits)
      values.zigzag(difference)
      recall.keep(point, digits, scaled)
      return
    }
  }
  if (Math.fround(value) === value) {
    nibbles.put(F32)
    values.f32(value)
  } else {
    nibbles.put(F64)
    values.f64(value)
  }
}

/** Where samples go. */
export type Sink = Pick<SamplePacker, 'put' | 'putText'>

const NOWHERE: Sink = { put: () => undefined, putText: () => undefined }

/**
 * The samples of a chunk, in its order, with points as numbers of the layout; `only` those of some points. Throws on bytes that are no
 * chunk of this layout.
 */
export function unpackChunk(
  bytes: Uint8Array,
  layout: Layout,
  monoBase: number,
  into: Sink,
  only: ReadonlySet<number> | null = null,
): void {
  recall.reset(layout.device.length)
  const head = new ByteReader(bytes)
  const count = head.varint()
  const scanCount = head.varint()
  const scanBytes = head.varint()
  const nibbleBytes = head.varint()
  const scanReader = new ByteReader(bytes, head.at, head.at + scanBytes)
  const nibblesAt = head.at + scanBytes
  const valueReader = new ByteReader(bytes, nibblesAt + nibbleBytes)
  const presence = new Map<number, readonly number[]>()
  let time = monoBase
  let nibbleAt = 0
  let read = 0
  const nibble = (): number => {
    const byte = nibbleAt >> 1 < nibbleBytes ? (bytes[nibblesAt + (nibbleAt >> 1)] ?? 0) : -1
    if (byte < 0) throw new RangeError('packed forms end too early')
    return nibbleAt++ % 2 === 0 ? byte >> 4 : byte & 15
  }
  for (let scan = 0; scan < scanCount; scan++) {
    const first = scanReader.varint()
    const device = Math.floor(first / 4)
    time += scanReader.zigzag()
    const slots = readPresence(scanReader, first % 4, presence.get(device))
    presence.set(device, slots)
    const points = layout.at[device] ?? []
    for (const slot of slots) {
      const point = points[slot]
      if (point === undefined) throw new RangeError(`no point in slot ${slot} of device ${device}`)
      readValue(point, time, nibble, valueReader, only === null || only.has(point) ? into : NOWHERE)
      read++
    }
  }
  if (read !== count) throw new RangeError(`a chunk of ${count} samples holds ${read}`)
}

function readPresence(reader: ByteReader, mode: number, before: readonly number[] | undefined): readonly number[] {
  if (mode === SAME_AS_BEFORE) {
    if (before === undefined) throw new RangeError('a scan refers to one that is not there')
    return before
  }
  const slots: number[] = []
  const length = reader.varint()
  if (mode === BITMAP) {
    for (let byte = 0; byte < length; byte++) {
      const bits = reader.byte()
      for (let bit = 0; bit < 8; bit++) if (bits & (1 << bit)) slots.push(byte * 8 + bit)
    }
  } else {
    let slot = 0
    for (let at = 0; at < length; at++) {
      slot += reader.varint()
      slots.push(slot)
    }
  }
  return slots
}

function readValue(point: number, time: number, nibble: () => number, reader: ByteReader, into: Sink): void {
  let form = nibble()
  let cause = GOOD
  if (form === IS_BAD) {
    cause = reader.byte()
    into.put(point, time, NONE, cause, cause === EXCEPTION ? reader.varint() : 0)
    return
  }
  if (form === IS_UNCERTAIN) {
    cause = reader.byte()
    form = nibble()
  }
  if (form <= DIGITS_MAX) {
    const difference = reader.zigzag()
    const scaled = recall.digits(point) === form ? recall.scaled(point) + difference : difference
    recall.keep(point, form, scaled)
    into.put(point, time, NUMBER, cause, scaled / (POWERS[form] ?? 1))
  } else if (form === F32) into.put(point, time, NUMBER, cause, reader.f32())
  else if (form === F64) into.put(point, time, NUMBER, cause, reader.f64())
  else if (form === IS_FALSE) into.put(point, time, FALSE, cause, 0)
  else if (form === IS_TRUE) into.put(point, time, TRUE, cause, 0)
  else if (form === IS_TEXT) into.putText(point, time, cause, reader.text())
  else throw new RangeError(`form ${form} is not known`)
}
