/** A bus on which nobody is asked, on pipes made of nothing. */
import { describe, expect, test, vi } from 'vitest'
import { openListener } from '../../src/bus/listener.ts'
import type { Point, TextPart } from '../../src/model/point.ts'
import type { Arrival } from '../../src/model/sample.ts'
import type { Bus, Device, LineForm } from '../../src/model/site.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { type Ending, ending, type Pipe } from '../../src/transport/transport.ts'
import { makePoint } from '../image/points.ts'

const FORM: LineForm = {
  delimiter: '\r\n',
  begin: '',
  separator: ',',
  encoding: 'utf-8',
  maxBytes: 64,
  fields: null,
  id: { kind: 'field', number: 1 },
}
const BUS: Bus = {
  index: 0,
  id: 'gate',
  wireText: 'tcp://10.0.0.1:4001',
  wire: { kind: 'tcp', host: '10.0.0.1', port: 4001 },
  line: null,
  inFlight: 1,
}

function linePoint(index: number, part: TextPart, given: Partial<Point> = {}): Point {
  return makePoint(index, {
    ...given,
    source: {
      from: 'field',
      place: { protocol: 'textline', part, only: [] },
      treatment: { scale: 1, offset: 0, invalid: [], map: null, invert: false },
      everyMs: null,
    },
  })
}

const POINTS = [
  linePoint(0, { kind: 'field', number: 2 }, { type: 'str', kind: 'event', personal: true }),
  linePoint(1, { kind: 'field', number: 3 }, { type: 'bool', kind: 'state' }),
  linePoint(2, { kind: 'field', number: 3 }, { type: 'bool', kind: 'state' }),
]
const text = { en: '', zh: '' }

function device(index: number, id: string, points: readonly number[]): Device {
  return {
    index,
    id: `door_${index}`,
    driver: 'access/x',
    driverSha: '',
    category: 'access',
    brick: null,
    model: text,
    name: text,
    place: {},
    tags: {},
    family: null,
    link: { kind: 'lines', bus: 0, id, line: null, form: FORM },
    params: {},
    points,
  }
}
const DEVICES = [device(0, 'A', [0, 1]), device(1, 'B', [2])]

/** Pipes come when `pipes` has one, else the wire is refused. */
function rig() {
  const posted: Arrival[] = []
  const controller = new AbortController()
  let hear: ((chunk: Uint8Array) => void) | null = null
  let end: ((ended: Ending) => void) | null = null
  let opens = 0
  let refusing = false
  const pipe = (): Pipe => ({
    kind: 'pipe',
    write: () => {
      throw new Error('a listener never writes')
    },
    onData: (listener) => {
      hear = listener
    },
    closed: new Promise((resolve) => {
      end = resolve
    }),
    close: async () => {
      end?.(ending('closed', 'closed'))
    },
    retune: async () => false,
  })
  const bus = openListener({
    bus: BUS,
    devices: DEVICES,
    points: POINTS,
    clock: { mono: () => performance.now() },
    post: (arrival) => posted.push(arrival),
    log: SILENT,
    signal: controller.signal,
    random: () => 0,
    openPipe: async () => {
      opens += 1
      return refusing ? ending('refused', 'no route') : pipe()
    },
  })
  return {
    bus,
    posted,
    opens: () => opens,
    refuse: (yes: boolean) => {
      refusing = yes
    },
    say: async (chunk: string) => {
      await vi.waitFor(() => expect(hear).not.toBeNull())
      hear?.(new TextEncoder().encode(chunk))
    },
    lose: () => end?.(ending('closed', 'cable pulled')),
    abort: () => controller.abort(),
    scans: () => posted.filter((arrival) => arrival.kind === 'scan'),
  }
}

describe('lines', () => {
  test('are told to the device that they name, however they are cut', async () => {
    const { bus, say, scans, posted } = rig()
    await say('A,12345')
    await say('678,on\r')
    await say('\nB,,off\r\n')
    expect(scans().map(({ device: index, readings }) => ({ index, readings }))).toEqual([
      {
        index: 0,
        readings: [
          { point: 0, value: '12345678' },
          { point: 1, value: true },
        ],
      },
      { index: 1, readings: [{ point: 2, value: false }] },
    ])
    expect(posted).toContainEqual(expect.objectContaining({ kind: 'bus', state: 'online' }))
    expect(bus.status()).toMatchObject({ state: 'online', frames: 2, refusals: {} })
    await bus.close()
  })

  test('that cannot be used are counted by name', async () => {
    const { bus, say, scans } = rig()
    await say(`C,1,on\r\n${'x'.repeat(80)}\r\nB\r\n`)
    expect(scans()).toEqual([])
    expect(bus.status()).toMatchObject({
      frames: 0,
      foreignFrames: 3,
      refusals: { unknown_device: 1, too_long: 1, no_point: 1 },
    })
    await bus.close()
  })

  test('are never shown to a trace where they hold personal data', async () => {
    const { bus, say } = rig()
    const seen: string[] = []
    bus.listen((_direction, bytes) => seen.push(Buffer.from(bytes).toString('hex')))
    await say('A,99887766,on\r\n')
    expect(seen).toEqual(['00'.repeat(15)])
    await bus.close()
  })
})

describe('the wire', () => {
  test('that is lost is opened again; states are not known then, half a line is forgotten', async () => {
    const { bus, say, lose, refuse, posted, scans, opens } = rig()
    await say('A,1,on\r\nA,2')
    refuse(true)
    lose()
    await vi.waitFor(() => expect(posted).toContainEqual(expect.objectContaining({ kind: 'bus', state: 'offline' })))
    expect(bus.status()).toMatchObject({ state: 'offline', why: 'no route' })
    expect(scans().slice(1)).toEqual([
      expect.objectContaining({ device: 0, readings: [{ point: 1, fault: { kind: 'closed' } }] }),
      expect.objectContaining({ device: 1, readings: [{ point: 2, fault: { kind: 'closed' } }] }),
    ])
    refuse(false)
    const before = opens()
    await vi.waitFor(() => expect(opens()).toBeGreaterThan(before), { timeout: 5000 })
    await new Promise((resolve) => setImmediate(resolve))
    await say('B,,on\r\n')
    expect(scans().at(-1)).toMatchObject({ device: 1, readings: [{ point: 2, value: true }] })
    await bus.close()
  })

  test('takes no questions and no orders', async () => {
    const { bus, abort } = rig()
    expect(await bus.write({ id: '1', point: 1, value: true, by: 'test', role: 'admin' })).toEqual({
      outcome: 'refused',
      cause: 'this bus only listens',
      reason: { en: 'this bus only listens', zh: '该总线只监听，不发送' },
    })
    expect(await bus.read([1])).toEqual([{ point: 1, fault: { kind: 'not_read' } }])
    abort()
    await bus.close()
  })
})
