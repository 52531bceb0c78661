/** The points that a segment's chunks speak of, numbered densely from 0: device and slot for the packer, names for the content. */
import type { Point } from '../model/point.ts'
import type { Layout } from './chunk.ts'
import type { Names } from './content.ts'

export type DictionaryRow = {
  readonly n: number
  readonly device: string
  readonly key: string
  readonly type: string
  readonly unit: string | null
  readonly cv: number
}

/** A point is another one when its configuration is: type and unit hold under one `cv`. */
function identity(row: Omit<DictionaryRow, 'n'>): string {
  return `${row.device}.${row.key} ${row.type} ${row.cv} ${row.unit ?? ''}`
}

export class Dictionary implements Layout, Names {
  readonly rows: DictionaryRow[] = []
  readonly device: number[] = []
  readonly slot: number[] = []
  readonly at: number[][] = []
  readonly deviceText: string[] = []
  readonly keyText: string[] = []
  #rank: number[] | null = null
  readonly #byId = new Map<string, ReadonlySet<number>>()
  readonly #known = new Map<string, number>()
  readonly #devices = new Map<string, number>()
  #new: DictionaryRow[] = []

  constructor(rows: readonly DictionaryRow[]) {
    for (const row of rows) this.#enter(row)
  }

  #enter(row: DictionaryRow): void {
    if (row.n !== this.rows.length) throw new RangeError(`dictionary row ${this.rows.length} is missing`)
    let device = this.#devices.get(row.device)
    if (device === undefined) {
      device = this.deviceText.push(JSON.stringify(row.device)) - 1
      this.#devices.set(row.device, device)
      this.at.push([])
    }
    this.rows.push(row)
    this.device.push(device)
    this.slot.push((this.at[device]?.push(row.n) ?? 1) - 1)
    this.keyText.push(JSON.stringify(row.key))
    this.#rank = null
    this.#byId.clear()
    this.#known.set(identity(row), row.n)
  }

  /** Place of each point among its device's points by key (and by number, where two configurations share a key). */
  get rank(): readonly number[] {
    this.#rank ??= this.#ranked()
    return this.#rank
  }

  #ranked(): number[] {
    const rank: number[] = []
    for (const points of this.at) {
      const sorted = [...points].sort((a, b) => compare(this.rows[a]?.key ?? '', this.rows[b]?.key ?? '') || a - b)
      sorted.forEach((point, place) => {
        rank[point] = place
      })
    }
    return rank
  }

  /** By index of the site's points. Numbers are given out in the site's order, so that scans come out sorted. */
  numbersFor(
    points: readonly Pick<Point, 'device' | 'key' | 'type' | 'unit'>[],
    deviceIds: readonly string[],
    cv: number,
  ): Uint32Array<ArrayBuffer> {
    return Uint32Array.from(points, (point) => {
      const row = { device: deviceIds[point.device] ?? '', key: point.key, type: point.type, unit: point.unit, cv }
      const known = this.#known.get(identity(row))
      if (known !== undefined) return known
      const entered = { n: this.rows.length, ...row }
      this.#enter(entered)
      this.#new.push(entered)
      return entered.n
    })
  }

  /** All numbers that a point has, under whatever configuration. */
  numbersOf(id: string): ReadonlySet<number> {
    let numbers = this.#byId.get(id)
    if (numbers === undefined) {
      numbers = new Set(this.rows.filter((row) => `${row.device}.${row.key}` === id).map((row) => row.n))
      this.#byId.set(id, numbers)
    }
    return numbers
  }

  /** Rows that are not on disk yet. */
  takeNew(): readonly DictionaryRow[] {
    const taken = this.#new
    this.#new = []
    return taken
  }
}

/** By UTF-16 code units, as RFC 8785 sorts keys. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
