/**
 * A bus that goes on over a reload has numbered its points and devices by the site that it was opened with. Everything that goes in or
 * out is translated here; where the numbers are the same this costs nothing.
 */
import type { Arrival, Reading } from '../model/sample.ts'
import type { Bus, Site } from '../model/site.ts'
import type { RunningBus } from './bus.ts'

/** From the numbers of one site to those of another, by id; undefined: it has no such point or device. */
export type Numbers = {
  readonly bus: (index: number) => number | undefined
  readonly device: (index: number) => number | undefined
  readonly point: (index: number) => number | undefined
}

type Numbered = Pick<Site, 'buses' | 'devices' | 'points'>

/** null: every number is the same. */
export function numbersBetween(from: Numbered, to: Numbered): Numbers | null {
  const table = (a: readonly { readonly id: string }[], b: readonly { readonly id: string }[]) => {
    const at = new Map(b.map(({ id }, index) => [id, index]))
    return a.map(({ id }) => at.get(id))
  }
  const tables = [table(from.buses, to.buses), table(from.devices, to.devices), table(from.points, to.points)] as const
  if (tables.every((numbers) => numbers.every((number, index) => number === index))) return null
  const [buses, devices, points] = tables
  return { bus: (index) => buses[index], device: (index) => devices[index], point: (index) => points[index] }
}

/** null: it concerns nothing that there is now. A publisher who waits for the disk is let go. */
export function relabelArrival(arrival: Arrival, numbers: Numbers | null): Arrival | null {
  if (numbers === null) return arrival
  if (arrival.kind === 'bus') {
    const bus = numbers.bus(arrival.bus)
    return bus === undefined ? null : { ...arrival, bus }
  }
  const device = numbers.device(arrival.device)
  if (device === undefined) {
    if (arrival.kind === 'scan') arrival.settled?.(null)
    return null
  }
  if (arrival.kind === 'device') return { ...arrival, device }
  return { ...arrival, device, readings: relabelReadings(arrival.readings, numbers) }
}

function relabelReadings(readings: readonly Reading[], numbers: Numbers): readonly Reading[] {
  return readings.flatMap((reading) => {
    const point = numbers.point(reading.point)
    return point === undefined ? [] : [{ ...reading, point }]
  })
}

/** The same bus under the numbers of the site in force. `out`: from its own to those; `back`: the other way. */
export function relabelBus(
  running: RunningBus,
  bus: Bus,
  { out, back }: { readonly out: Numbers; readonly back: Numbers },
): RunningBus {
  const own = (point: number): number => {
    const found = back.point(point)
    if (found === undefined) throw new RangeError(`point ${point} is not read from bus ${bus.id}`)
    return found
  }
  return {
    ...running,
    bus,
    write: (request) => running.write({ ...request, point: own(request.point) }),
    read: async (points) => relabelReadings(await running.read(points.map(own)), out),
    devices: () =>
      running.devices().flatMap((status) => {
        const index = out.device(status.index)
        return index === undefined ? [] : [{ ...status, index }]
      }),
  }
}
