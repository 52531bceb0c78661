/** Every Modbus driver against a device as the simulator makes it of the same file: what it shows is what is read. */
import { expect, test } from 'vitest'
import type { Point } from '../../src/model/point.ts'
import { rtu } from '../../src/protocols/modbus/framing.ts'
import { modbus } from '../../src/protocols/modbus/index.ts'
import { buildReply, parseRequest } from '../../src/protocols/modbus/pdu.ts'
import type { Block, Question } from '../../src/protocols/protocol.ts'
import { answer } from '../../src/simulate/rtu.ts'
import type { SimulatedDevice } from '../../src/simulate/devices.ts'
import { buildWorld } from '../../src/simulate/world.ts'
import { siteOf } from '../driver/folder.ts'
import { modelOf, NAMES } from './library.ts'

const MODBUS = NAMES.filter((name) => modelOf(name).data.protocol === 'modbus')

function poll(block: Block, device: SimulatedDevice, points: readonly Point[]) {
  const bodies: Uint8Array[] = []
  for (let question: Question | null = block.ask(1); question !== null; ) {
    const request = parseRequest(question.body)
    if (typeof request === 'string') throw new Error(request)
    const reply = buildReply(answer(device, request))
    const wide = question.dialect === undefined ? reply : Uint8Array.of(reply[0] ?? 0, 0, ...reply.subarray(1))
    const verdict = rtu.judge(rtu.frame({ ...question, body: wide }, 0), question, 0)
    if (verdict.kind !== 'answer') throw new Error(`${block.key}: ${JSON.stringify(verdict)}`)
    bodies.push(verdict.body)
    question = verdict.more ?? null
  }
  return block.read(points, bodies)
}

const site = siteOf({
  'site.yaml': [
    'site: {id: s}\nbuses: {b: {wire: /dev/ttyS0}}\ndevices:',
    ...MODBUS.map((name, n) => `  d_${n}: {driver: ${name}, bus: b, address: ${n + 1}}`),
    '',
  ].join('\n'),
})
const { devices } = buildWorld(site, {
  seed: 7,
  elapsedMs: () => 3_600_000,
  ears: { shown: () => undefined, written: () => undefined },
})

test.each(MODBUS)('%s', (name) => {
  const at = MODBUS.indexOf(name)
  const device = devices[at]
  const link = site.devices[at]?.link
  if (device === undefined || link?.kind !== 'bus') throw new Error('no device')
  const points = site.points.filter((point) => point.device === at)
  const read = modbus
    .plan(points, link.limits, new Set())
    .flatMap((block) => poll(block, device, site.points))
    .map((reading) => {
      const point = site.points[reading.point]
      const cell = device.cells.find((each) => each.point.index === reading.point)
      if (point === undefined || cell === undefined || 'fault' in reading)
        throw new Error(`${point?.key}: ${JSON.stringify(reading)}`)
      return { point, shown: device.value(cell), value: reading.value }
    })
  const isRead = ({ source }: Point): boolean => source.from === 'field' && source.everyMs !== null
  expect(read).toHaveLength(points.filter(isRead).length)
  for (const { point, shown, value } of read) {
    const { source } = point
    if (typeof shown !== 'number' || source.from !== 'field') {
      // A word of bits has a value only by its bits, which are points of their own.
      if (point.kind !== 'bits') expect(value, point.key).toEqual(shown)
      continue
    }
    // What other registers scale has the steps that they leave it: a transformer's ratio makes them wide.
    const { place, treatment } = source
    const scaled = place.protocol === 'modbus' && place.factors !== undefined
    const step = scaled ? Math.abs(shown) * 0.05 + 0.5 : Math.abs(treatment.scale) / 2
    if (point.kind !== 'bits')
      expect(Math.abs(Number(value) - shown), `${point.key} ${value}`).toBeLessThanOrEqual(
        step + Math.abs(shown) * 1e-6,
      )
  }
})
