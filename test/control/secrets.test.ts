/** Passwords that another master sends to a meter, and what a meter's error codes say: as they are shown. */
import { describe, expect, test } from 'vitest'
import { type Chunk, FrameReader } from '../../src/control/frames.ts'
import { meterReasons, reasonOf } from '../../src/control/reason.ts'
import { explainDlt645 } from '../../src/protocols/dlt645/index.ts'
import { buildFrame } from '../../src/protocols/dlt645/frame.ts'
import { siteOf } from '../driver/folder.ts'

const PASSWORD = [0x02, 0x12, 0x34, 0x56]
const OPERATOR = [1, 0, 0, 0]
const address = '000000000001'
const frame = (control: number, data: readonly number[]) =>
  buildFrame({ wakeUp: 4, address, control, data: Uint8Array.from(data) })
const RELAY = frame(0x1c, [...PASSWORD, ...OPERATOR, 0x1a, 0, 0, 0, 0, 0, 0, 0])
const WRITE = frame(0x14, [1, 1, 0, 4, ...PASSWORD, ...OPERATOR, 1, 2, 3, 4])
const CHANGE = frame(0x18, [1, 12, 0, 4, ...PASSWORD, 0x02, 0x65, 0x43, 0x21])
const WRITE_97 = frame(0x04, [0x10, 0xc0, ...PASSWORD, 1, 2])
const READ = frame(0x11, [0, 0, 1, 0])
/** Digits of the passwords, as they travel and as they are. */
const SENT = ['456789', '987654', '123456', '563412', '654321', '214365']

const chunkOf = (bytes: Uint8Array, us = 0): Chunk => ({ us, dir: 'in', bytes, count: bytes.length })
const secrets = [
  ['1CH relay', RELAY],
  ['14H write', WRITE],
  ['18H change password', CHANGE],
  ['04H write, 1997', WRITE_97],
] as const

describe.each(secrets)('%s', (_, bytes) => {
  test('is named, and its password is not', () => {
    const reader = new FrameReader(null, { framings: ['rtu', 'dlt645'] })
    const rows = reader.push(chunkOf(bytes))
    expect(reader.heardSecret).toBe(true)
    expect(rows).toMatchObject([
      { hex: null, junk: '', count: bytes.length, frames: [{ address, direction: 'request' }] },
    ])
    for (const digits of SENT) expect(JSON.stringify(rows).toLowerCase()).not.toContain(digits)
    for (const edition of ['2007', '1997'] as const)
      for (const digits of SENT) expect(JSON.stringify(explainDlt645(edition, bytes, null))).not.toContain(digits)
  })

  test.each([1, 3, 14, 15, 20])('cut into pieces of %i', (size) => {
    const reader = new FrameReader(null, { framings: ['dlt645'] })
    const shown: number[] = []
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.slice(at, at + size)
      const rows = reader.push(chunkOf(piece, at))
      if (!reader.heardSecret) shown.push(...piece)
      for (const row of rows) expect(row.hex).toBeNull()
    }
    // At most the head of the frame and its last byte.
    expect(shown.length).toBeLessThanOrEqual(15)
    expect(shown.slice(0, -1)).toEqual(Array.from(bytes.slice(0, Math.max(0, shown.length - 1))))
  })

  test('cut off before its end', () => {
    const reader = new FrameReader(null, { framings: ['dlt645'] })
    reader.push(chunkOf(bytes.slice(0, -3)))
    expect(reader.heardSecret).toBe(true)
    expect(reader.flush()).toMatchObject([{ hex: null, junk: '', frames: [] }])
  })
})

test('what holds no password is shown', () => {
  const reader = new FrameReader(null, { framings: ['dlt645'] })
  reader.push(chunkOf(RELAY))
  const [row] = reader.push(chunkOf(READ, 1_000_000))
  expect(reader.heardSecret).toBe(false)
  expect(row?.hex).toBe(Buffer.from(READ).toString('hex'))
  const other = new FrameReader(null, { framings: ['rtu'] })
  other.push(chunkOf(RELAY))
  expect(other.heardSecret).toBe(false)
})

test("a meter's error byte is a set of reasons, and no exception of Modbus", () => {
  const { devices, points } = siteOf({
    'site.yaml': `site: {id: s}
buses: {r: {wire: /dev/ttyS0}, m: {wire: "modbus-tcp://h"}}
devices:
  new: {driver: meter/dlt645_2007_single_phase, bus: r, address: "000000000001"}
  old: {driver: meter/dlt645_1997, bus: r, address: "000000000002"}
  pump: {driver: pump/abb_acs580, bus: m, address: 1}
`,
  })
  const refusal = { kind: 'exception', code: 2 } as const
  const of = (id: string) =>
    reasonOf(
      { points },
      devices.find((device) => device.id === id),
      refusal,
    )
  expect(of('new')?.en).toBe('the meter refuses: the meter has no such data item (exception:2)')
  expect(of('new')?.zh).toBe('电表拒绝：无请求数据（exception:2）')
  expect(of('old')?.en).toBe('the meter refuses: the meter does not know this data identifier (exception:2)')
  expect(of('pump')).toBeNull()
  expect(reasonOf({ points }, devices[0], { kind: 'timeout' })).toBeNull()
  expect(meterReasons(6, '2007').en).toBe('the meter has no such data item; wrong password, or not authorised')
  expect(meterReasons(0, '2007').en).toBe('without a reason')
})
