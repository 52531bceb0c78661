/** Small sites of real drivers, numbered as the configuration would number them. */
import { type Point, pointId } from '../../src/model/point.ts'
import type { Bus, Device, DeviceLink, Site, Wire } from '../../src/model/site.ts'
import { modelOf } from '../drivers/library.ts'

export type Sketch = {
  readonly buses?: Readonly<Record<string, Wire>>
  readonly devices: Readonly<
    Record<
      string,
      {
        readonly driver: string
        readonly bus?: string
        readonly address?: number
        readonly topic?: string
        /** `io_1.di_2`, with a leading `!` where the contact is inverted. */
        readonly inputs?: Readonly<Record<string, string>>
      }
    >
  >
}

const LINE = { baud: 9600, dataBits: 8, parity: 'N', stopBits: 1 } as const

export function siteOf(sketch: Sketch): Site {
  const buses = Object.entries(sketch.buses ?? {}).map(
    ([id, wire], index): Bus => ({ index, id, wireText: '', wire, line: LINE, inFlight: 1 }),
  )
  const points: Point[] = []
  const devices = Object.entries(sketch.devices).map(([id, written], index): Device => {
    const model = modelOf(written.driver)
    const own: number[] = []
    for (const { labels: _labels, source, ...rest } of model.drafts) {
      const input = source.from === 'input' ? written.inputs?.[source.input] : undefined
      const from = points.find((point) => point.id === input?.replace('!', ''))
      if (source.from === 'derive' || (source.from === 'input' && from === undefined)) continue
      own.push(points.length)
      points.push({
        ...rest,
        index: points.length,
        id: pointId(id, rest.key),
        device: index,
        source:
          source.from === 'field'
            ? source
            : { from: 'point', point: from?.index ?? -1, invert: source.invert !== input?.startsWith('!') },
      })
    }
    const bus = buses.find((each) => each.id === written.bus)
    const link: DeviceLink =
      bus !== undefined
        ? {
            kind: 'bus',
            bus: bus.index,
            protocol: 'modbus',
            address: written.address ?? 1,
            line: model.line,
            limits: model.limits,
          }
        : written.topic !== undefined
          ? { kind: 'topic', topic: written.topic, codec: 'zigbee2mqtt' }
          : { kind: 'composed' }
    return {
      index,
      id,
      driver: written.driver,
      driverSha: '',
      category: model.data.category ?? '',
      brick: null,
      model: { en: id, zh: id },
      name: { en: id, zh: id },
      place: {},
      tags: {},
      family: null,
      link,
      params: {},
      points: own,
    }
  })
  return {
    id: 'test',
    name: { en: 'test', zh: 'test' },
    timezone: 'Asia/Shanghai',
    location: null,
    language: null,
    gateway: { id: 'test', clock: 'system' },
    store: {
      commitEveryMs: 1000,
      wearBytesPerDay: 0,
      budgetBytes: 0,
      keepMs: { raw: 0, minutes: 0, hours: 0, alarms: 0, audit: 0, access: 0, acked: 0 },
      cut: { everyMs: 5000, samples: 3600, bytes: 49_152 },
    },
    broker: null,
    uplinks: [],
    buses,
    devices,
    points,
    rules: [],
  }
}

export const TCP: Wire = { kind: 'modbus-tcp', host: '10.1.1.20', port: 502 }
export const RS485: Wire = { kind: 'tcp', host: '10.1.1.30', port: 4196 }

/** A clock that moves when it is told to. */
export function handClock(): { mono: () => number; utc: (mono?: number) => number; pass: (ms: number) => void } {
  let now = 1000
  return {
    mono: () => now,
    utc: (mono = now) => 1_700_000_000_000 + mono,
    pass(ms) {
      now += ms
    },
  }
}
