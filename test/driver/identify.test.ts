/** Which driver fits, from what devices said in the proofs of the library: public telegrams, most of them. */
import { describe, expect, test } from 'vitest'
import { parseHex } from '../../src/bytes/hex.ts'
import { Findings } from '../../src/driver/finding.ts'
import { candidatesOf, type Fitting, fitOf, ranked, TOLD_NOTHING, type Told } from '../../src/driver/identify.ts'
import { checkDriverFile } from '../../src/driver/lint.ts'
import { openLibrary } from '../../src/driver/load.ts'
import type { ProtocolName } from '../../src/model/site.ts'
import { answeredBy as cjt188By } from '../../src/protocols/cjt188/index.ts'
import { parseFrame as parseMbus } from '../../src/protocols/mbus/frame.ts'
import { answeredBy as mbusBy } from '../../src/protocols/mbus/index.ts'
import { folder, LIBRARY } from './folder.ts'

const library = openLibrary([LIBRARY], new Findings())
const candidates = candidatesOf(library)

/** The drivers that fit best a device that gives this one answer to whatever it is asked. */
async function bestFor(protocol: ProtocolName, told: Told, body: Uint8Array): Promise<readonly string[]> {
  const fitting: Fitting[] = []
  for (const candidate of candidates.filter((each) => each.protocol === protocol)) {
    const evidence = await fitOf(candidate, told, async () => [body])
    if (evidence !== null) fitting.push({ candidate, evidence })
  }
  const { order, alike } = ranked(fitting, null)
  return order.slice(0, alike).map(({ candidate }) => candidate.driver)
}

const bytes = (hex: string): Uint8Array => {
  const read = parseHex(hex)
  return typeof read === 'string' ? expect.unreachable(read) : read
}

/** Behind the start of the frame, before its checksum. */
const mbusBody = (frame: Uint8Array): Uint8Array =>
  parseMbus(frame)?.is === 'long' ? frame.subarray(4, -2) : expect.unreachable('no telegram')

function mbusTold(body: Uint8Array): Told {
  const { manufacturer, version, medium } = mbusBy(body) ?? expect.unreachable()
  return { ...TOLD_NOTHING, manufacturer, version, medium }
}

const firstTelegram = (driver: string, proof = 0): Uint8Array =>
  mbusBody(bytes(library.load(driver)?.data.proof?.[proof]?.next?.[0]?.reply ?? ''))

describe('M-Bus', () => {
  test.each([
    ['meter/mbus_heat_kamstrup_multical_601', 0, 'meter/mbus_heat_kamstrup_multical_601'],
    ['meter/mbus_heat_sensus_pollustat', 0, 'meter/mbus_heat_sensus_pollustat'],
    ['meter/mbus_water_itron_cyble', 0, 'meter/mbus_water_itron_cyble'],
    ['meter/mbus_water_flow', 0, 'meter/mbus_water_flow'],
    ['meter/mbus_water', 0, 'meter/mbus_water'],
    ['meter/mbus_heat', 0, 'meter/mbus_heat'],
    ['meter/mbus_gas', 0, 'meter/mbus_gas'],
  ])('the telegram in the proof of %s is recognised', async (driver, proof, best) => {
    const body = firstTelegram(driver, proof)
    expect(await bestFor('mbus', mbusTold(body), body)).toEqual([best])
  })

  test('another version of the same maker is not taken for that model', async () => {
    const body = firstTelegram('meter/mbus_heat_kamstrup_multical_601')
    const told = { ...mbusTold(body), version: 9 }
    expect(await bestFor('mbus', told, body)).toEqual(['meter/mbus_heat'])
  })

  test('a meter of something else, or that does not say what it meters, has no driver', async () => {
    const body = firstTelegram('meter/mbus_water')
    expect(await bestFor('mbus', { ...mbusTold(body), medium: 2 }, body)).toEqual([])
    expect(await bestFor('mbus', TOLD_NOTHING, body)).toEqual([])
  })
})

describe('CJ/T 188', () => {
  const WATER = '77 07 00 26 20 11 00 81 90 1f 03 56 34 12 00 2c 00 00 12 00 2c 00 30 14 08 01 26 20 01 00'
  /** Type, address, control, data. */
  const water = (type: number): Uint8Array => Uint8Array.of(type, ...bytes(WATER))
  const told = (type: number, identifier: '901F' | '1F90' = '901F'): Told => ({ ...TOLD_NOTHING, type, identifier })

  test.each([
    [0x10, ['meter/cjt188_water']],
    [0x12, ['meter/cjt188_water']],
    [0x11, ['meter/cjt188_hot_water']],
    [0x30, ['meter/cjt188_gas']],
    [0x41, []],
  ])('type %i by the type alone: the answer is laid out alike', async (type, best) => {
    expect(cjt188By(water(type))?.type).toBe(type)
    expect(await bestFor('cjt188', told(type), water(type))).toEqual(best)
  })

  test('the order of identifiers that it answered to decides between two drivers that read the same', async () => {
    expect(await bestFor('cjt188', told(0x10, '1F90'), water(0x10))).toEqual(['meter/cjt188_water_1f90'])
  })
})

describe('what a driver may say of itself', () => {
  const said = (protocol: string, identify: string): readonly string[] => {
    const points = { modbus: 'holding 1, as: u16', mbus: 'volume', cjt188: '"901F", field: total' }[protocol] ?? ''
    const root = folder({
      'drivers/meter/odd.yaml': `driver: meter/odd\ntitle: Odd\ncategory: meter\nprotocol: ${protocol}\npoints:\n  v: {at: ${points}}\nidentify:\n  - ${identify}\n`,
    })
    return checkDriverFile(`${root}/drivers/meter/odd.yaml`, []).map(({ message }) => message.en)
  }

  test.each([
    ['mbus', '{manufacturer: KAM, version: 8, medium: ["04"]}', null],
    ['cjt188', '{type: ["10", "12"]}', null],
    ['modbus', '{read: holding 1, as: u16, equals: 7}', null],
    ['modbus', '{manufacturer: KAM}', 'manufacturer has no meaning for protocol modbus'],
    ['cjt188', '{medium: ["07"]}', 'medium has no meaning for protocol cjt188'],
    ['mbus', '{read: volume, version: 1}', 'read + version has no meaning for protocol mbus'],
    ['mbus', '{manufacturer: kam}', 'three capital letters'],
    ['cjt188', '{type: ["cold"]}', 'two hexadecimal digits'],
    ['modbus', '{equals: 7}', 'read is missing'],
  ])('%s %s', (protocol, identify, why) => {
    const lines = said(protocol, identify).filter((line) => !/title|source|proof|line/.test(line))
    if (why === null) expect(lines).toEqual([])
    else expect(lines.join('\n')).toContain(why)
  })
})
