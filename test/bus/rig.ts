/** A site in a few words, and devices on pipes that exist only in memory: time is vitest's fake clock. */
import { vi } from 'vitest'
import { crc16 } from '../../src/bytes/checksum.ts'
import { type Place, type Point, pointId, type WriteRule } from '../../src/model/point.ts'
import type { Arrival, Reading } from '../../src/model/sample.ts'
import type { Address, Bus, Device, Limits, Line, ProtocolName, Wire } from '../../src/model/site.ts'
import { type BusOptions, openBus, type RunningBus } from '../../src/bus/bus.ts'
import { SILENT } from '../../src/runtime/log.ts'
import type { OpenPipe } from '../../src/transport/open.ts'
import { type Ending, ending, type Pipe } from '../../src/transport/transport.ts'

export const LINE: Line = { baud: 9600, dataBits: 8, parity: 'N', stopBits: 1 }
export const LIMITS: Limits = {
  maxRegisters: 125,
  maxBits: 2000,
  maxGap: 8,
  minGapMs: 0,
  guardMs: 5,
  timeoutMs: 200,
  retries: 1,
  echo: false,
}
const WIRES = {
  'modbus-tcp': { kind: 'modbus-tcp', host: '127.0.0.1', port: 502 },
  tcp: { kind: 'tcp', host: '127.0.0.1', port: 4196 },
  serial: { kind: 'serial', path: '/dev/ttyX' },
} as const satisfies Record<string, Wire>

export type PointSpec = {
  at: number
  table?: 'coil' | 'holding' | 'input'
  everyMs?: number | null
  as?: 'u16' | 'bit'
  /** In place of the register. */
  place?: Place
  write?: Partial<WriteRule>
}
export type DeviceSpec = {
  address: Address
  protocol?: ProtocolName
  points: PointSpec[]
  limits?: Partial<Limits>
  line?: Line
}
export type SiteSpec = { wire?: keyof typeof WIRES; inFlight?: number; devices: DeviceSpec[] }
export type TestSite = { bus: Bus; devices: Device[]; points: Point[] }

const TEXT = { en: '', zh: '' }

export function site({ wire = 'tcp', inFlight = 1, devices }: SiteSpec): TestSite {
  const bus: Bus = {
    index: 0,
    id: 'bus_1',
    wireText: wire,
    wire: WIRES[wire],
    line: wire === 'modbus-tcp' ? null : LINE,
    inFlight,
  }
  const points: Point[] = []
  return {
    bus,
    points,
    devices: devices.map((spec, index) => {
      const own = spec.points.map((point) => {
        points.push(pointOf(point, { index: points.length, device: index }))
        return points.length - 1
      })
      return {
        index,
        id: `device_${spec.address}`,
        driver: 'test/device',
        driverSha: '0',
        category: 'io',
        brick: null,
        model: TEXT,
        name: TEXT,
        place: {},
        tags: {},
        family: null,
        link: {
          kind: 'bus',
          bus: 0,
          protocol: spec.protocol ?? 'modbus',
          address: spec.address,
          line: spec.line ?? null,
          limits: { ...LIMITS, ...spec.limits },
        },
        params: {},
        points: own,
      }
    }),
  }
}

function pointOf(spec: PointSpec, { index, device }: { index: number; device: number }): Point {
  const { at, table = 'holding', everyMs = 1000, as = table === 'coil' ? 'bit' : 'u16', write } = spec
  return {
    index,
    id: pointId(`d${device}`, `${table}_${at}`),
    device,
    key: `${table}_${at}`,
    title: TEXT,
    std: null,
    kind: 'gauge',
    type: as === 'bit' ? 'bool' : 'f64',
    unit: null,
    source: {
      from: 'field',
      place: spec.place ?? { protocol: 'modbus', table, address: at, as, order: 'ABCD', bit: null, length: null },
      treatment: { scale: 1, offset: 0, invalid: [], map: null, invert: false },
      everyMs,
    },
    range: null,
    rateMax: null,
    debounceMs: 0,
    maxAgeMs: null,
    frozenAfterMs: null,
    deadband: 0,
    heartbeatMs: 300_000,
    personal: false,
    forbidden: false,
    write:
      write === undefined
        ? null
        : {
            role: 'operator',
            min: null,
            max: null,
            step: null,
            readBack: false,
            minOnMs: 0,
            minOffMs: 0,
            rateMs: 0,
            ...write,
          },
  }
}

/** A request as the device sees it. */
export type Asked = { unit: number; fc: number; address: number; count: number; pdu: Uint8Array; transaction: number }
/** The PDU of the reply, null: silence. */
export type Device16 = (asked: Asked) => Uint8Array | null

/** A register that says which it is: unit and address are in its value. */
export function marked(unit: number, address: number): number {
  return ((unit & 0x3f) << 10) | (address & 0x3ff)
}

export function registers(value: (address: number) => number, { fc, address, count }: Asked): Uint8Array {
  const pdu = new Uint8Array(2 + 2 * count)
  pdu.set([fc, 2 * count])
  for (let at = 0; at < count; at++) new DataView(pdu.buffer).setUint16(2 + 2 * at, value(address + at))
  return pdu
}

export const honest: Device16 = (asked) => registers((address) => marked(asked.unit, address), asked)
export const refuse = (asked: Asked, code: number): Uint8Array => Uint8Array.of(asked.fc | 0x80, code)

export function rtuFrame(unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(pdu.length + 3)
  frame[0] = unit
  frame.set(pdu, 1)
  const crc = crc16(frame, 0, pdu.length + 1)
  frame.set([crc & 0xff, crc >> 8], pdu.length + 1)
  return frame
}

export function tcpFrame({ transaction, unit }: Asked, pdu: Uint8Array): Uint8Array {
  return Uint8Array.of(transaction >> 8, transaction & 255, 0, 0, 0, pdu.length + 1, unit, ...pdu)
}

export function parse(kind: 'rtu' | 'tcp', bytes: Uint8Array): Asked {
  const transaction = kind === 'tcp' ? ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0) : 0
  const unit = bytes[kind === 'tcp' ? 6 : 0] ?? 0
  const pdu = kind === 'tcp' ? bytes.slice(7) : bytes.slice(1, -2)
  const view = new DataView(pdu.buffer, pdu.byteOffset)
  return { unit, fc: pdu[0] ?? 0, address: view.getUint16(1), count: view.getUint16(3), pdu, transaction }
}

export type FakePipe = { readonly feed: (bytes: Uint8Array) => void; readonly end: (why?: string) => void }

/** A wire in memory. `serve` sees each request and feeds what it likes, when it likes. */
export type FakeWire = {
  readonly openPipe: OpenPipe
  readonly pipes: FakePipe[]
  readonly sent: { at: number; asked: Asked; bytes: Uint8Array }[]
  readonly lines: Line[]
  /** While set, opening fails. */
  refusing: boolean
}

export function fakeWire(
  kind: 'rtu' | 'tcp',
  serve: (asked: Asked, pipe: FakePipe, bytes: Uint8Array) => void,
): FakeWire {
  const wire: FakeWire = {
    pipes: [],
    sent: [],
    lines: [],
    refusing: false,
    openPipe: (_target, line) => {
      if (wire.refusing) return Promise.resolve(ending('refused', 'nobody there'))
      wire.lines.push(line)
      let listener: (chunk: Uint8Array) => void = () => {}
      let finish: (end: Ending) => void = () => {}
      const closed = new Promise<Ending>((resolve) => {
        finish = resolve
      })
      const fake: FakePipe = {
        feed: (bytes) => listener(bytes),
        end: (why = 'gone') => finish(ending('closed', why)),
      }
      wire.pipes.push(fake)
      const pipe: Pipe = {
        kind: 'pipe',
        write(bytes) {
          const asked = parse(kind, bytes)
          wire.sent.push({ at: performance.now(), asked, bytes: bytes.slice() })
          serve(asked, fake, bytes.slice())
        },
        onData(wanted) {
          listener = wanted
        },
        closed,
        close: async () => {
          fake.end('closed by the gateway')
          await closed
        },
        retune: (wanted) => {
          wire.lines.push(wanted)
          return Promise.resolve(true)
        },
      }
      return Promise.resolve(pipe)
    },
  }
  return wire
}

/** Answers each request of a device after `delayMs`. */
export function serving(
  kind: 'rtu' | 'tcp',
  device: Device16,
  delayMs: (asked: Asked) => number = () => 5,
): (asked: Asked, pipe: FakePipe) => void {
  return (asked, pipe) => {
    const pdu = device(asked)
    if (pdu === null) return
    const reply = kind === 'rtu' ? rtuFrame(asked.unit, pdu) : tcpFrame(asked, pdu)
    setTimeout(() => pipe.feed(reply), delayMs(asked))
  }
}

export function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
}

export type Run = { bus: RunningBus; arrivals: Arrival[]; site: TestSite }

export function run(spec: SiteSpec, wire: Pick<FakeWire, 'openPipe'>, more: Partial<BusOptions> = {}): Run {
  const built = site(spec)
  const arrivals: Arrival[] = []
  const bus = openBus({
    ...built,
    clock: { mono: () => performance.now() },
    post: (arrival) => arrivals.push(arrival),
    log: SILENT,
    signal: new AbortController().signal,
    openPipe: wire.openPipe,
    random: () => 0.5,
    ...more,
  })
  return { bus, arrivals, site: built }
}

export function readingsOf(arrivals: readonly Arrival[]): (Reading & { mono: number })[] {
  return arrivals.flatMap((arrival) =>
    arrival.kind === 'scan' ? arrival.readings.map((reading) => ({ ...reading, mono: arrival.mono })) : [],
  )
}

/** Lets pipes open and promises settle, then time pass. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}
