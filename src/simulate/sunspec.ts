/** A SunSpec device's row of models: the letters SunS, the common model, then each model that a driver reads. */
import type { ModbusPlace } from '../model/point.ts'
import { modelStretchOf } from '../protocols/modbus/place.ts'

export type Row = {
  /** Where the place lies in this row; a place of no model stays. */
  readonly laid: (place: ModbusPlace) => ModbusPlace
  /** Marker and headers: address to register. */
  readonly fixed: ReadonlyMap<number, number>
}

const COMMON = 1
/** Registers behind id and length: what the alliance's own files say of the models that drivers read. */
const LENGTHS: Readonly<Record<number, number>> = { [COMMON]: 66, 103: 50 }
const LAST = 0xffff

export function rowOf(places: readonly ModbusPlace[]): Row {
  const lengths = new Map<number, number>()
  let base: number | null = null
  for (const place of places) {
    if (place.model === undefined) continue
    base = place.model.base
    const { id } = place.model
    lengths.set(COMMON, LENGTHS[COMMON] ?? 0)
    lengths.set(id, Math.max(lengths.get(id) ?? LENGTHS[id] ?? 0, modelStretchOf(place).end - 2))
  }
  if (base === null) return { laid: (place) => place, fixed: new Map() }

  const fixed = new Map([
    [base, 0x5375],
    [base + 1, 0x6e53],
  ])
  const starts = new Map<number, number>()
  let at = base + 2
  for (const [id, length] of [...lengths].toSorted(([a], [b]) => a - b)) {
    starts.set(id, at)
    fixed.set(at, id).set(at + 1, length)
    at += 2 + length
  }
  fixed.set(at, LAST).set(at + 1, 0)
  return {
    fixed,
    laid({ model, ...place }) {
      const start = model === undefined ? 0 : (starts.get(model.id) ?? 0)
      const factors = place.factors?.map((factor) => ({ ...factor, address: factor.address + start }))
      return { ...place, address: place.address + start, ...(factors === undefined ? {} : { factors }) }
    },
  }
}
