/**
 * What a driver forbids to write stays closed: a site can neither lift or move it, nor reach its registers by the write of another
 * point. The list of what moves a lift is the driver's and no setting.
 */
import type { ModbusPlace, ModbusTable } from '../model/point.ts'
import { isBitTable, type Stretch, stretch, stretchOf } from '../protocols/modbus/place.ts'
import { wordsOf } from '../protocols/modbus/encoding.ts'
import { isPlain, type Layer } from './layers.ts'
import type { Build, Draft } from './points.ts'

export function checkClosed(drafts: readonly Draft[], layers: readonly Layer[], build: Build): void {
  for (const [n, layer] of layers.entries())
    for (const [key, words] of pointsOf(layer)) {
      const isLifted = words['forbidden'] !== undefined && words['forbidden'] !== true
      if ((isLifted || words['at'] !== undefined) && layers.slice(n + 1).some((below) => forbids(below, key)))
        build.findings.error(build.at(['points', key, isLifted ? 'forbidden' : 'at']), 'forbiddenStays', { point: key })
    }
  const closed = drafts.filter(({ forbidden }) => forbidden)
  for (const { key, write, source } of drafts) {
    if (write === null || source.from !== 'field' || source.place.protocol !== 'modbus') continue
    const target = writtenBy(source.place)
    const other = closed.find((each) => touches(each, target))
    if (other !== undefined)
      build.findings.error(build.at(['points', key, 'write']), 'writeClosed', { point: key, other: other.key })
  }
}

function pointsOf({ data }: Layer): readonly (readonly [string, Readonly<Record<string, unknown>>])[] {
  const points = isPlain(data) ? data['points'] : null
  return Object.entries(isPlain(points) ? points : {}).flatMap(([key, words]) => (isPlain(words) ? [[key, words]] : []))
}

function forbids(layer: Layer, key: string): boolean {
  return pointsOf(layer).some(([name, words]) => name === key && words['forbidden'] === true)
}

type Target = Stretch & { readonly table: ModbusTable; readonly model: number | null }

function writtenBy(place: ModbusPlace): Target {
  const table = place.write?.table ?? place.table
  const start = place.write?.address ?? place.address
  const words = isBitTable(table) ? 1 : wordsOf(place.write?.as ?? place.as, place.length)
  return { ...stretch(start, words), table, model: place.model?.id ?? null }
}

function touches({ source }: Draft, target: Target): boolean {
  if (source.from !== 'field' || source.place.protocol !== 'modbus') return false
  const { table, model } = source.place
  const { start, end } = stretchOf(source.place)
  return table === target.table && (model?.id ?? null) === target.model && start < target.end && target.start < end
}
