/** Growing byte buffer with variable-length integers, and the reader for it. Integers up to 2^53; zigzag puts the sign into the last bit. */

const SCRATCH = new DataView(new ArrayBuffer(8))
const UTF8 = new TextEncoder()
const FROM_UTF8 = new TextDecoder()

export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #length = 0

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  reset(): void {
    this.#length = 0
  }

  /** A view of what was written: valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  varint(value: number): void {
    let rest = value
    while (rest >= 0x80000000) {
      this.byte((rest % 128) | 0x80)
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.byte(rest)
  }

  zigzag(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1)
  }

  f32(value: number): void {
    SCRATCH.setFloat32(0, value, true)
    for (let at = 0; at < 4; at++) this.byte(SCRATCH.getUint8(at))
  }

  f64(value: number): void {
    SCRATCH.setFloat64(0, value, true)
    for (let at = 0; at < 8; at++) this.byte(SCRATCH.getUint8(at))
  }

  text(value: string): void {
    const encoded = UTF8.encode(value)
    this.varint(encoded.length)
    this.bytes(encoded)
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more))
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
  }
}

/** Reading past the end throws: what was stored is whole or it is corrupt. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at: number
  readonly #end: number

  constructor(bytes: Uint8Array, from = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = from
    this.#end = end
    if (end > bytes.length) throw new RangeError('packed bytes end too early')
  }

  get at(): number {
    return this.#at
  }

  byte(): number {
    if (this.#at >= this.#end) throw new RangeError('packed bytes end too early')
    return this.#bytes[this.#at++] ?? 0
  }

  varint(): number {
    let byte = this.byte()
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    let factor = 128
    do {
      byte = this.byte()
      value += (byte & 0x7f) * factor
      factor *= 128
      if (factor > 2 ** 63) throw new RangeError('a packed integer is too long')
    } while (byte >= 0x80)
    return value
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  f32(): number {
    for (let at = 0; at < 4; at++) SCRATCH.setUint8(at, this.byte())
    return SCRATCH.getFloat32(0, true)
  }

  f64(): number {
    for (let at = 0; at < 8; at++) SCRATCH.setUint8(at, this.byte())
    return SCRATCH.getFloat64(0, true)
  }

  text(): string {
    const length = this.varint()
    const from = this.#at
    if (from + length > this.#end) throw new RangeError('packed bytes end too early')
    this.#at += length
    return FROM_UTF8.decode(this.#bytes.subarray(from, this.#at))
  }
}
