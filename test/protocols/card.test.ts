import { describe, expect, test } from 'vitest'
import type { CardForm } from '../../src/model/point.ts'
import { readCard, readWiegand } from '../../src/protocols/card.ts'
import { compileTreatment } from '../../src/protocols/treatment.ts'
import file from '../vectors/access.json' with { type: 'json' }
import { PLAIN } from './make.ts'

type Vector = {
  id: string
  kind: string
  bits?: string
  decoded?: {
    format?: string
    facility?: number
    card?: number
    parity_ok?: boolean
    error?: string
    decimal10?: number
    fc_cn?: string
    number32?: number
    hex?: string
  }
  uid_hex?: string
  as_uint32_be?: number
  as_uint32_le?: number
}
const VECTORS = file.vectors as unknown as Vector[]

describe.each(VECTORS.filter(({ kind }) => kind === 'wiegand'))('$id', ({ bits = '', decoded = {} }) => {
  const read = readWiegand(bits)

  test('bits are read as they should', () => {
    if (decoded.error !== undefined) expect(read).toEqual({ format: null, why: decoded.error })
    else
      expect(read).toMatchObject({
        parityOk: decoded.parity_ok,
        ...(decoded.format === undefined
          ? {}
          : { format: decoded.format, facility: decoded.facility, card: decoded.card }),
      })
  })

  test('every way to write the card comes to one text, a wrong one to none', () => {
    const written: [CardForm, string | number | undefined][] = [
      ['wiegand_bits', bits],
      [bits.length === 34 ? 'wiegand34_raw' : 'wiegand26_raw', Number.parseInt(bits, 2)],
      ['wiegand26_decimal', decoded.decimal10],
      ['wiegand26_pair', decoded.fc_cn],
      ['wiegand26_pair', decoded.fc_cn?.replace(',', '')],
      ['wiegand34_decimal', decoded.number32],
      ['wiegand34_hex', decoded.hex],
    ]
    const canonical =
      decoded.parity_ok !== true || decoded.error !== undefined
        ? null
        : decoded.number32 === undefined
          ? `w26:${decoded.facility}:${decoded.card}`
          : `w34:${decoded.number32}`
    // 25 bits are no frame; as a number nobody can tell that one is missing but by the parity.
    for (const [form, raw] of written)
      if (raw !== undefined && !(decoded.error === 'length' && form.endsWith('_raw')))
        expect(readCard(form, raw), form).toBe(canonical)
  })
})

test('wg-uid-1: the byte order of a UID is a setting of the reader', () => {
  const vector = VECTORS.find(({ kind }) => kind === 'uid')
  const be = (vector?.as_uint32_be ?? 0).toString(16).padStart(8, '0')
  const le = (vector?.as_uint32_le ?? 0).toString(16).padStart(8, '0')
  expect(readCard('uid', be)).toBe(`uid:${vector?.uid_hex}`)
  expect(readCard('uid_reversed', le)).toBe(readCard('uid', be))
})

test.each<[CardForm, string | number | boolean | bigint]>([
  ['wiegand_bits', ''],
  ['wiegand_bits', '0012'],
  ['wiegand26_raw', 2 ** 26],
  ['wiegand26_raw', -1],
  ['wiegand34_raw', 2n ** 40n],
  ['wiegand26_pair', '300,00001'],
  ['wiegand26_pair', '081,65538'],
  ['wiegand26_pair', '1234567'],
  ['wiegand26_decimal', 2 ** 24],
  ['wiegand26_decimal', '1e5'],
  ['wiegand34_decimal', '4294967296'],
  ['wiegand34_hex', '1234567'],
  ['uid', '12345'],
  ['uid', 'GG345678'],
  ['uid', true],
])('%s does not take %s', (form, raw) => expect(readCard(form, raw)).toBeNull())

test('as a treatment: the canonical text, or a fault that says it could not be read', () => {
  const treat = compileTreatment({ ...PLAIN, card: 'wiegand26_decimal' })
  expect(treat?.(5898564)).toBe('w26:90:324')
  expect(treat?.(2 ** 24)).toEqual({ kind: 'crc' })
})
