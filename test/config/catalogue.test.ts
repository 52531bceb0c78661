import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../src/bytes/json.ts'
import { createCatalogue, PART_BYTES_MAX } from '../../src/config/catalogue.ts'
import { siteOf } from '../driver/folder.ts'

const TEXT = `site: {id: s}
buses: {b: {wire: /dev/ttyS0}}
devices:
  pump_1: {driver: pump/constant_pressure_ptech, bus: b, address: 1, name: {zh: 泵, en: Pump}, place: {room: 泵房}, tags: {asset: X}}
`
const METERS = `  meters: {driver: meter/eastron_sdm630, bus: b, each: {${Array.from({ length: 60 }, (_, index) => `m_${index}: {address: ${index + 2}}`).join(', ')}}}\n`

describe('the catalogue', () => {
  const catalogue = createCatalogue(siteOf({ 'site.yaml': TEXT }))

  test('tells devices and points by the uplink contract', () => {
    expect(catalogue.parts).toHaveLength(1)
    const [device] = catalogue.parts[0]!.dev
    expect(catalogue.parts[0]).toMatchObject({ sha: catalogue.sha, part: 1, of: 1 })
    expect(device).toMatchObject({
      i: 'pump_1',
      name: { zh: '泵', en: 'Pump' },
      place: { room: '泵房' },
      tags: { asset: 'X' },
      category: 'pump',
      driver: 'pump/constant_pressure_ptech',
      driverSha: expect.stringMatching(/^[0-9a-f]{16}$/),
      bus: 'b',
      identity: { serial: null, model: null },
    })
    const points = device!['pts'] as Record<string, unknown>[]
    expect(points.find(({ p }) => p === 'pressure')).toMatchObject({
      std: 'outlet_pressure',
      kind: 'gauge',
      unit: 'MPa',
      ty: 'f64',
      heartbeat: 300_000,
      maxAge: 10_000,
      personal: false,
    })
    expect(points.find(({ p }) => p === 'mode')).toMatchObject({ kind: 'state', ty: 'str', enum: { '0': 'pi' } })
    expect(points.find(({ p }) => p === 'error_code')).toMatchObject({ write: { min: 0, max: 0 } })
  })

  test('names a meter by the number that it answers to', () => {
    const meter = '  m: {driver: meter/dlt645_2007_three_phase, bus: b, address: "000012345678"}\n'
    const { parts } = createCatalogue(siteOf({ 'site.yaml': TEXT + meter }))
    expect(parts[0]?.dev[1]).toMatchObject({ i: 'm', identity: { serial: '000012345678', model: null } })
  })

  test('has a hash of its content alone', () => {
    expect(catalogue.sha).toMatch(/^[0-9a-f]{16}$/)
    expect(createCatalogue(siteOf({ 'site.yaml': TEXT })).sha).toBe(catalogue.sha)
    expect(createCatalogue(siteOf({ 'site.yaml': TEXT.replace('asset: X', 'asset: Y') })).sha).not.toBe(catalogue.sha)
    expect(createCatalogue(siteOf({ 'site.yaml': `${TEXT}store: {budget: 1GiB}\n` })).sha).toBe(catalogue.sha)
  })

  test('comes in parts that fit a message, and loses nothing', () => {
    const site = siteOf({ 'site.yaml': TEXT + METERS })
    const { parts, sha } = createCatalogue(site)
    expect(parts.length).toBeGreaterThan(1)
    for (const [index, part] of parts.entries()) {
      expect(part).toMatchObject({ part: index + 1, of: parts.length, sha })
      expect(Buffer.byteLength(canonicalJson(part))).toBeLessThan(PART_BYTES_MAX + 200)
    }
    expect(parts.flatMap(({ dev }) => dev.map((device) => device['i']))).toEqual(site.devices.map(({ id }) => id))
  })

  test('cuts a device of very many points', () => {
    const points = Array.from(
      { length: 400 },
      (_, index) => `p_${index}: {at: coil ${index}, title: {en: a long title ${index}, zh: 很长的标题}}`,
    )
    const driver = `driver: io/big\ntitle: Big\ncategory: io\nprotocol: modbus\npoints: {${points.join(', ')}}\n`
    const text = 'site: {id: s}\nbuses: {b: {wire: /dev/ttyS0}}\ndevices: {d: {driver: io/big, bus: b, address: 1}}\n'
    const { parts } = createCatalogue(siteOf({ 'site.yaml': text, 'drivers/io/big.yaml': driver }))
    const pieces = parts.flatMap(({ dev }) => dev)
    expect(pieces.length).toBeGreaterThan(1)
    expect(new Set(pieces.map((piece) => piece['i']))).toEqual(new Set(['d']))
    expect(pieces.flatMap((piece) => piece['pts'] as unknown[])).toHaveLength(400)
  })

  test('of a site without devices is one empty part', () => {
    expect(createCatalogue(siteOf({ 'site.yaml': 'site: {id: s}\n' })).parts).toMatchObject([
      { part: 1, of: 1, dev: [] },
    ])
  })
})
