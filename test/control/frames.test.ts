import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { lineOf, parseChunk, parseHead } from '../../src/control/capture.ts'
import { type Chunk, type Decoded, FrameReader } from '../../src/control/frames.ts'
import { wireBook } from '../../src/control/wirebook.ts'
import { fakeTime, fakeWire, honest, pass, readingsOf, refuse, run, serving, site, type SiteSpec } from '../bus/rig.ts'

const SPEC: SiteSpec = {
  devices: [
    { address: 5, points: [{ at: 3 }, { at: 4 }, { at: 40, table: 'input' }] },
    { address: 6, points: [{ at: 3 }, { at: 900 }] },
  ],
}

beforeEach(fakeTime)
afterEach(() => {
  vi.useRealTimers()
})

/** A running bus, and all that was said on its wire. */
async function recorded(wireKind: 'rtu' | 'tcp'): Promise<{ chunks: Chunk[]; values: [string, unknown][] }> {
  const wire = fakeWire(
    wireKind,
    serving(wireKind, (asked) => (asked.unit === 6 && asked.address === 900 ? refuse(asked, 2) : honest(asked))),
  )
  const spec: SiteSpec = { ...SPEC, ...(wireKind === 'tcp' ? { wire: 'modbus-tcp' } : {}) }
  const { bus, arrivals, site: built } = run(spec, wire)
  const chunks: Chunk[] = []
  bus.listen((dir, bytes) => chunks.push({ us: Math.round(performance.now() * 1000), dir, bytes, count: bytes.length }))
  await pass(3500)
  await bus.close()
  const values = readingsOf(arrivals).flatMap((reading): [string, unknown][] =>
    'value' in reading ? [[built.points[reading.point]?.id ?? '', reading.value]] : [],
  )
  return { chunks, values }
}

function bookOf(spec: SiteSpec) {
  const { bus, devices, points } = site(spec)
  return wireBook({ devices, points }, bus)
}

function decode(reader: FrameReader, chunks: readonly Chunk[]): readonly Decoded[] {
  return [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.flush()]
}

const valuesOf = (rows: readonly Decoded[]) =>
  rows.flatMap(({ values }) => values.flatMap(({ point, value }) => (value === null ? [] : [[point, value]])))

describe.each(['rtu', 'tcp'] as const)('%s', (kind) => {
  const spec: SiteSpec = { ...SPEC, ...(kind === 'tcp' ? { wire: 'modbus-tcp' } : {}) }

  test('a capture decodes to exactly the values that were read', async () => {
    const { chunks, values } = await recorded(kind)
    expect(values.length).toBeGreaterThan(10)
    // Through the file and back.
    const restored = chunks.map((chunk) => {
      const back = parseChunk(JSON.stringify(lineOf(chunk)))
      if (typeof back === 'string') throw new Error(back)
      return back
    })
    const rows = decode(new FrameReader(bookOf(spec)), restored)
    expect(valuesOf(rows)).toEqual(values)
    expect(rows.filter(({ junk }) => junk !== '')).toEqual([])
    const refused = rows.find(({ frames }) => frames.some(({ fault }) => fault === 'exception:2'))
    expect(refused?.device).toBe('device_6')
    expect(rows.find(({ dir }) => dir === 'in')?.tookUs).toBe(5000)
  })

  test('however the bytes are cut', async () => {
    const { chunks, values } = await recorded(kind)
    const cut = chunks.flatMap((chunk) =>
      chunk.dir === 'out' || chunk.bytes === null
        ? [chunk]
        : [...chunk.bytes].map((byte) => ({ ...chunk, bytes: Uint8Array.of(byte), count: 1 })),
    )
    expect(valuesOf(decode(new FrameReader(bookOf(spec)), cut))).toEqual(values)
  })

  test('without a site the frames are named all the same', async () => {
    const { chunks } = await recorded(kind)
    const rows = decode(new FrameReader(null, { framings: [kind] }), chunks)
    expect(rows.every(({ frames }) => frames.length === 1)).toBe(true)
    expect(valuesOf(rows)).toEqual([])
  })
})

test('noise is said to be none, and the frame behind it is found by its own', () => {
  const reader = new FrameReader(bookOf(SPEC))
  const sent = Uint8Array.of(5, 3, 0, 3, 0, 2, 0x35, 0x8f)
  const noise = Uint8Array.of(1, 2, 3)
  const rows = [
    ...reader.push({ us: 0, dir: 'out', bytes: sent, count: 8 }),
    ...reader.push({ us: 9000, dir: 'in', bytes: noise, count: 3 }),
    ...reader.push({ us: 800_000, dir: 'out', bytes: sent, count: 8 }),
  ]
  expect(rows.map(({ dir, junk }) => [dir, junk])).toEqual([
    ['out', ''],
    ['in', '010203'],
    ['out', ''],
  ])
})

test('why bytes are no frame is said in the asker’s language', () => {
  const whyIn = (language: 'en' | 'zh') => {
    const reader = new FrameReader(bookOf(SPEC), { language })
    reader.push({ us: 0, dir: 'in', bytes: Uint8Array.of(5, 3, 2, 0, 1, 0, 0), count: 7 })
    return reader.flush()[0]?.why
  }
  expect(whyIn('en')).toMatch(/^[^\u4e00-\u9fff]+$/)
  expect(whyIn('zh')).toMatch(/[\u4e00-\u9fff]/)
})

test('answers with something personal in them are masked, and so is what cannot be told apart', () => {
  const { bus, devices, points } = site(SPEC)
  const secret = points.map((point) => (point.id === 'd0.holding_3' ? { ...point, personal: true } : point))
  const reader = new FrameReader(wireBook({ devices, points: secret }, bus))
  expect(reader.masks).toBe(true)
  reader.push({ us: 0, dir: 'out', bytes: Uint8Array.of(5, 3, 0, 3, 0, 2, 0x35, 0x8f), count: 8 })
  expect(reader.masks).toBe(true)
  const [row] = reader.push({ us: 10, dir: 'in', bytes: null, count: 9 })
  expect(row).toMatchObject({ hex: null, count: 9, frames: [], values: [] })
  // Another device's answer is nobody's secret.
  reader.push({ us: 20, dir: 'out', bytes: Uint8Array.of(6, 3, 0, 3, 0, 1, 0x75, 0xbd), count: 8 })
  expect(reader.masks).toBe(false)
})

describe('the file', () => {
  test.each([
    ['', 'it is no JSON'],
    ['[]', 'it does not begin with'],
    ['{"capture":"other/1"}', 'it does not begin with'],
    ['{"capture":"gatehouse/1","bus":5}', 'its first line is damaged'],
  ])('%s is no beginning', (text, why) => {
    expect(parseHead(text)).toContain(why)
  })

  test.each([
    ['{"t_us":1,"dir":"up","hex":""}', 'dir is neither'],
    ['{"t_us":"1","dir":"in","hex":""}', 't_us is no number'],
    ['{"t_us":1,"dir":"in","hex":"0"}', 'half a byte'],
    ['{"t_us":1,"dir":"in"}', 'hex is no text'],
    ['{"t_us":1,"dir":"in","hex":"01"', 'no JSON'],
  ])('%s is no chunk', (text, why) => {
    expect(parseChunk(text)).toContain(why)
  })

  test('masked bytes stay masked', () => {
    const line = lineOf({ us: 7, dir: 'in', bytes: null, count: 12 })
    expect(line).toEqual({ t_us: 7, dir: 'in', hex: null, masked: 12 })
    expect(parseChunk(JSON.stringify(line))).toEqual({ us: 7, dir: 'in', bytes: null, count: 12 })
  })
})
