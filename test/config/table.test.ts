import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { check, folder, siteOf } from '../driver/folder.ts'

const SITE = `site: {id: s}
buses: {b: {wire: /dev/ttyS0}}
devices:
  meters: {driver: meter/eastron_sdm120, bus: b, place: {building: B3}, each: m.csv}
`

function lines(csv: string | Uint8Array): readonly string[] {
  return check({ 'site.yaml': SITE, 'm.csv': csv }).lines
}

function devices(csv: string | Uint8Array) {
  return siteOf({ 'site.yaml': SITE, 'm.csv': csv }).devices
}

describe('a table', () => {
  test('gives each row a device of its own, with the family’s keys below its own', () => {
    const [first, second] = devices(
      'id,address,name,place.room,tags.house,params.voltage_low\nm_1,1,一号表,101,B3-101,200\nm_2,2,,,,\n',
    )
    expect(first).toMatchObject({
      id: 'm_1',
      family: 'meters',
      name: { zh: '一号表', en: '一号表' },
      place: { building: 'B3', room: '101' },
      tags: { house: 'B3-101' },
      params: { voltage_low: 200 },
      link: { kind: 'bus', address: 1 },
    })
    expect(second).toMatchObject({
      id: 'm_2',
      name: { en: 'm_2' },
      place: { building: 'B3' },
      params: { voltage_low: 198 },
    })
  })

  test('may have a byte order mark, CRLF, quotes, empty lines, and no end of line', () => {
    const text = '\ufeffid,address,name\r\n\r\nm_1,1,"a, ""b""\r\nc"\r\n,,\r\nm_2, 2 ,x'
    expect(devices(text).map(({ id, name, link }) => [id, name.en, link.kind === 'bus' ? link.address : 0])).toEqual([
      ['m_1', 'a, "b"\r\nc', 1],
      ['m_2', 'x', 2],
    ])
  })

  test('in GBK is accepted and named', () => {
    const bytes = new Uint8Array([...Buffer.from('id,address,name\nm_1,1,'), 0xb5, 0xe7, 0xb1, 0xed, 0x0a])
    const { site, findings, lines: found } = check({ 'site.yaml': SITE, 'm.csv': bytes })
    expect(site?.devices[0]?.name.zh).toBe('电表')
    expect(found).toEqual(['m.csv:1:1 is GBK and was read as such; UTF-8 is safer'])
    expect(findings[0]?.severity).toBe('warning')
  })

  test.each<[string, string | Uint8Array, string]>([
    [
      'a ruined address',
      'id,address\nm_1,1\nm_2,1.23457E+11\n',
      'm.csv:3:2 address 1.23457E+11 was ruined by a spreadsheet: set the column to text',
    ],
    ['a spreadsheet error', 'id,address,name\nm_1,1,#N/A\n', 'm.csv:2:3 name holds #N/A, an error of the spreadsheet'],
    ['an unknown column', 'id,adress\nm_1,1\n', 'm.csv:1:2 unknown column adress; did you mean address?'],
    ['a column twice', 'id,address,address\nm_1,1,2\n', 'm.csv:1:3 column address is there twice'],
    ['no id column', 'name,address\nm_1,1\n', 'm.csv:1:1 has no column id'],
    ['a row without id', 'id,address\n,1\n', 'm.csv:2:1 id is missing'],
    [
      'an id that is none',
      'id,address\nM-1,1\n',
      'm.csv:2:1 M-1 must be an id: lower-case letters, digits and _, beginning with a letter',
    ],
    [
      'a word of CEL',
      'id,address\ntype,1\n',
      'm.csv:2:1 type is a word of the expression language CEL and cannot be an id: choose another',
    ],
    [
      '__proto__',
      'id,address\n__proto__,1\n',
      'm.csv:2:1 __proto__ must be an id: lower-case letters, digits and _, beginning with a letter',
    ],
    [
      'an address that is none',
      'id,address\nm_1,x\n',
      'm.csv:2:2 address x is no Modbus unit: write a whole number, 1 to 247',
    ],
    ['one address twice', 'id,address\nm_1,1\nm_2,1\n', 'm.csv:3:2 m_2 has address 1 on bus b, and so has m_1'],
    [
      'too many cells',
      'id,address\nm_1,1,x\n',
      'm.csv:2:3 has 3 cells where the header has 2: a comma within a text needs quotes around the text',
    ],
    ['semicolons', 'id;address\nm_1;1\n', 'm.csv:1:1 its columns are separated by ;: save it with commas'],
    ['an open quote', 'id,address\nm_1,"1\nm_2,2\n', 'm.csv:2:2 this quote is never closed'],
    [
      'a header alone',
      'id,address\n',
      'm.csv:1:1 has no rows: write a header (id,address,…) and a line for each device',
    ],
    ['nothing', '', 'm.csv:1:1 has no rows: write a header (id,address,…) and a line for each device'],
    ['a zero byte', new Uint8Array([105, 100, 0]), 'm.csv:1:1 is not a text file: it has a zero byte at offset 2'],
    [
      'a bad value',
      'id,address,line\nm_1,1,9600\n',
      'm.csv:2:3 line must be a line setting such as 9600 8N1: baud, data bits, parity N, E or O, stop bits, not "9600"',
    ],
    ['an unknown param', 'id,address,params.x\nm_1,1,5\n', 'm.csv:2:3 this driver has no param x'],
  ])('with %s is one clear line', (_name, csv, line) => {
    expect(lines(csv)[0]).toBe(line)
  })

  test('names a device that the site has elsewhere', () => {
    const site = `${SITE}  m_1: {driver: meter/eastron_sdm120, bus: b, address: 9}\n`
    const { lines: found } = check({ 'site.yaml': site, 'm.csv': 'id,address\nm_1,1\n' })
    expect(found).toEqual([expect.stringMatching(/^site\.yaml:5:3 device m_1 is there twice: also at .*m\.csv:2:1$/)])
  })

  test('that is missing is named', () => {
    const [line, ...more] = check({ 'site.yaml': SITE }).lines
    expect(line).toMatch(
      /^site\.yaml:\d+:\d+ there is no table \/.*\/m\.csv: its path counts from the folder of the site file$/,
    )
    expect(more).toEqual([])
  })

  test('names the column that was meant', () => {
    expect(lines('ID,adress,place,plcae.room,tags.House\nm_1,1,a,b,c\n')).toEqual([
      'm.csv:1:1 unknown column ID; did you mean id?',
      'm.csv:1:1 has no column id',
      'm.csv:1:2 unknown column adress; did you mean address?',
      'm.csv:1:3 column place needs to say which: place.NAME, such as place.room',
      'm.csv:1:4 unknown column plcae.room; did you mean place.room?',
      'm.csv:1:5 unknown column tags.House; did you mean tags.house?',
    ])
  })

  test('may lie anywhere', () => {
    const root = folder({ 'm.csv': 'id,address\nm_1,1\n' })
    expect(check({ 'site.yaml': SITE.replace('m.csv', `${root}/m.csv`) }).site?.devices.map(({ id }) => id)).toContain(
      'm_1',
    )
  })

  test('never throws', () => {
    const cell = fc.constantFrom('id', 'address', ',', '"', '\n', '\r', 'm_1', '1', '1E5', '#REF!', '；', '\t')
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 12 }), (cells) => void lines(`id,address\n${cells.join('')}`)),
      { numRuns: 60 },
    )
  })
})

test('an inline map is a family too', () => {
  const site = siteOf({
    'site.yaml': `site: {id: s}
buses: {b: {wire: /dev/ttyS0}}
devices:
  meters:
    driver: meter/eastron_sdm120
    bus: b
    points: {voltage: {deadband: 2}}
    each:
      m_1: {address: 1}
      m_2: {address: 2, points: {voltage: {unit: V, deadband: 3}}}
`,
  })
  expect(site.devices.map(({ id, family }) => [id, family])).toEqual([
    ['m_1', 'meters'],
    ['m_2', 'meters'],
  ])
  expect(site.points.filter(({ key }) => key === 'voltage').map(({ deadband }) => deadband)).toEqual([2, 3])
})

test('two thousand meters resolve in less than two seconds', () => {
  const buses = Array.from({ length: 10 }, (_, bus) => `b_${bus}: {wire: "tcp://10.0.0.${bus + 1}:4196"}`).join(', ')
  const rows = Array.from(
    { length: 2000 },
    (_, row) => `m_${row},b_${row % 10},${1 + Math.floor(row / 10)},表${row},${row}`,
  )
  const files = {
    'site.yaml': `site: {id: s}\nbuses: {${buses}}\ndevices: {meters: {driver: meter/eastron_sdm630, each: m.csv}}\n`,
    'm.csv': `id,bus,address,name,place.room\n${rows.join('\n')}\n`,
  }
  const before = performance.now()
  const site = siteOf(files)
  expect(performance.now() - before).toBeLessThan(2000)
  expect(site.devices).toHaveLength(2000)
  expect(site.points[site.devices[1999]!.points[0]!]?.id).toBe('m_1999.voltage_a')
})
