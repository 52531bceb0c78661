/** Bad input: one clear line each, with its place; nothing throws; the rest is still looked at. */
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkSite, loadSite } from '../../src/config/check.ts'
import { findingJson, findingText } from '../../src/driver/finding.ts'
import { check, folder, LIBRARY } from '../driver/folder.ts'

const PUMP = '{driver: pump/abb_acs580, bus: pumps, address: 1}'
const SITE = `site: {id: jinxiu_3}
buses: {pumps: {wire: modbus-tcp://10.1.1.20}}
devices:
  pump_1: ${PUMP}
  io_1: {driver: io/waveshare_relay_8ch, bus: pumps, address: 8}
`

function lines(text: string, files: Readonly<Record<string, string | Uint8Array>> = {}): readonly string[] {
  return check({ 'site.yaml': text, ...files }).lines
}

function rule(keys: string): string {
  return `${SITE}alarms:\n  r: {priority: low, text: t, ${keys}}\n`
}

test('the smallest site passes', () => {
  const { site, lines: found } = check({ 'site.yaml': SITE })
  expect(found).toEqual([])
  expect(site?.devices.map(({ id }) => id)).toEqual(['pump_1', 'io_1'])
})

describe('each of these is one clear line', () => {
  test.each<[string, string, string]>([
    [
      'an unknown key',
      SITE.replace('bus: pumps, address: 1', 'bus: pumps, adress: 1, address: 1'),
      'site.yaml:4:49 unknown key adress in devices.pump_1; did you mean address?',
    ],
    [
      'an unknown key at the top',
      `${SITE}device: {}\n`,
      'site.yaml:6:1 unknown key device in site.yaml; did you mean devices?',
    ],
    ['a device twice', `${SITE}  pump_1: ${PUMP}\n`, 'site.yaml:6:3 pump_1 is written twice here: keep one'],
    [
      'an id that is a word of CEL',
      SITE.replace('io_1', 'loop'),
      'site.yaml:5:3 loop is a word of the expression language CEL and cannot be an id: choose another',
    ],
    [
      'an id that is no id',
      SITE.replace('io_1', 'IO-1'),
      'site.yaml:5:3 IO-1 must be an id: lower-case letters, digits and _, beginning with a letter, at most 64; did you mean io_1?',
    ],
    [
      'an unknown driver',
      SITE.replace('abb_acs580', 'abb_acs5800'),
      'site.yaml:4:20 there is no driver pump/abb_acs5800; did you mean pump/abb_acs580?',
    ],
    [
      'an unknown bus',
      SITE.replace('acs580, bus: pumps', 'acs580, bus: pump'),
      'site.yaml:4:42 there is no bus pump; did you mean pumps?',
    ],
    [
      'two devices with one address',
      SITE.replace('address: 8', 'address: 1'),
      'site.yaml:5:63 io_1 has address 1 on bus pumps, and so has pump_1',
    ],
    [
      'an address out of range',
      SITE.replace('address: 8', 'address: 300'),
      'site.yaml:5:63 address 300 is no Modbus unit: write a whole number, 1 to 247',
    ],
    [
      'the broadcast address',
      SITE.replace('address: 8', 'address: 0'),
      'site.yaml:5:63 address 0 is broadcast: no device answers to it; write its own, 1 to 247',
    ],
    [
      'an address that a spreadsheet wrote',
      SITE.replace('address: 8', 'address: 1.2E+11'),
      'site.yaml:5:63 address 1.2E+11 was ruined by a spreadsheet: set the column to text',
    ],
    [
      'a bad duration',
      SITE.replace('address: 8', 'address: 8, polls: {inputs: 5 sec}'),
      'site.yaml:5:82 devices.io_1.polls.inputs must be a duration with its unit, such as 500ms, 5s, 10m, 24h or 30d, at most 1000y, not 5 sec',
    ],
    [
      'a duration without unit',
      rule('when: io_1.di_1, onDelay: 5'),
      'site.yaml:7:57 alarms.r.onDelay must be a duration such as 500ms or 30s, or a param of the driver that holds one: params.held_after, not 5',
    ],
    ['a tab', SITE.replace('  io_1', '\tio_1'), 'site.yaml:5:1 a tab indents here: YAML wants spaces'],
    [
      'an empty file',
      '',
      'site.yaml:1:1 is empty: write at least what the file is about (a site file: site, buses, devices)',
    ],
    ['a list', '- 1\n', 'site.yaml:1:1 site.yaml must be a map of keys and values, not [1]'],
    ['no site', 'buses: {}\n', 'site.yaml:1:1 site is missing'],
    ['__proto__', `${SITE}__proto__: {lab: true}\n`, 'site.yaml:6:1 __proto__ cannot be a key'],
    [
      'an unquoted !',
      rule('').replace(', }', '}').replace('text: t}', 'text: t\n    , when: !pump_1.running && io_1.di_1}'),
      'site.yaml:8:13 a value that begins with ! must be quoted, or YAML takes it for a tag: when: "!a && !b"',
    ],
    [
      'a Windows port',
      SITE.replace('modbus-tcp://10.1.1.20', 'COM3'),
      'site.yaml:2:23 wire COM3 is a Windows name: write the stable path of the port, /dev/serial/by-path/… (gatehouse ports lists them)',
    ],
    [
      'a wire of no kind',
      SITE.replace('modbus-tcp://10.1.1.20', 'tcp://10.1.1.20'),
      'site.yaml:2:23 wire tcp://10.1.1.20 is none of modbus-tcp://host[:port], tcp://host:port, /dev/…',
    ],
    [
      'one wire for two buses',
      SITE.replace('20}}', '20}, b: {wire: "modbus-tcp://10.1.1.20:502"}}'),
      'site.yaml:2:58 bus b uses the wire of bus pumps: one wire has one master; put the devices on one bus',
    ],
    [
      'a line on modbus-tcp',
      SITE.replace('address: 8', 'address: 8, line: 9600 8N1'),
      'site.yaml:5:72 io_1: modbus-tcp has no line setting: remove line',
    ],
    [
      'a bad line',
      SITE.replace('20}', '20, line: 9600}'),
      'site.yaml:2:53 buses.pumps.line must be a line setting such as 9600 8N1: baud, data bits, parity N, E or O, stop bits, not 9600',
    ],
    [
      'no address',
      SITE.replace(', address: 8', ''),
      'site.yaml:5:3 io_1 needs address: its driver reads it over a bus',
    ],
    [
      'a topic for a bus device',
      SITE.replace('address: 8', 'address: 8, topic: a/b'),
      'site.yaml:5:73 io_1: driver io/waveshare_relay_8ch has no use for topic: remove it',
    ],
    [
      'a device that publishes and no broker',
      `${SITE}  air: {driver: environment/zigbee2mqtt_climate, topic: z/a}\n`,
      'site.yaml:6:57 air publishes, and there is no broker for it: add broker: {listen: ["mqtt://127.0.0.1:1883"]}',
    ],
    [
      'a param that the driver lacks',
      SITE.replace('address: 8', 'address: 8, params: {x: 1}'),
      'site.yaml:5:75 this driver has no param x',
    ],
    [
      'a time zone that is none',
      SITE.replace('jinxiu_3}', 'jinxiu_3, timezone: Asia/Peking}'),
      'site.yaml:1:32 Asia/Peking is no time zone: write an IANA name such as Asia/Shanghai',
    ],
    [
      'an alarm with a built-in name',
      rule('when: io_1.di_1').replace('  r:', '  disk_full:'),
      'site.yaml:7:3 disk_full is the name of a built-in alarm: choose another',
    ],
    ['an alarm without its condition', rule('latch: true'), 'site.yaml:7:3 alarm r needs when'],
    [
      'a wrong priority',
      rule('when: io_1.di_1').replace('low', 'hihg'),
      'site.yaml:7:17 alarms.r.priority must be a priority: critical, high, medium or low, not hihg; did you mean high?',
    ],
    [
      'an output that cannot be written',
      rule('when: io_1.di_1, do: [{write: io_1.di_2, value: true}]'),
      'site.yaml:7:61 io_1.di_2 cannot be written: its driver does not mark it write',
    ],
    [
      'an output that is not there',
      rule('when: io_1.di_1, do: [{write: io_1.rely_1, value: true}]'),
      'site.yaml:7:61 do: io_1 has no point rely_1; did you mean relay_1?',
    ],
    [
      'an output of no device',
      rule('when: io_1.di_1, do: [{write: relay_1, value: true}]'),
      'site.yaml:7:61 write: relay_1 must name a device: device.point',
    ],
    [
      'a value that does not fit',
      rule('when: io_1.di_1, do: [{write: io_1.relay_1, value: 1}]'),
      'site.yaml:7:82 io_1.relay_1 takes true or false, not 1',
    ],
    [
      'a point key that is none',
      SITE.replace('address: 8', 'address: 8, points: {di_1: {debuonce: 1s}}'),
      'site.yaml:5:82 unknown key debuonce in devices.io_1.points.di_1; did you mean debounce?',
    ],
    [
      'a standard name that is none',
      SITE.replace('address: 8', 'address: 8, points: {x: {at: coil 20, std: realy_1}}'),
      'site.yaml:5:97 realy_1 is no name of category io in the vocabulary; did you mean relay_1?',
    ],
    [
      'a { that is never closed',
      SITE.replace('20}}', '20}'),
      'site.yaml:3:1 a { or [ that was opened above is not closed before this line: add its } or ]',
    ],
    [
      'a poll that the driver lacks',
      SITE.replace('address: 8', 'address: 8, polls: {input: 1s}'),
      'site.yaml:5:74 unknown key input in polls of io/waveshare_relay_8ch; did you mean inputs?',
    ],
    [
      'an added point without a place',
      SITE.replace('address: 8', 'address: 8, points: {extra: {as: u16}}'),
      'site.yaml:5:75 extra has no at: where is its value?',
    ],
    [
      'two devices with one topic',
      'site: {id: a}\nbroker: {listen: ["mqtt://127.0.0.1"]}\ndevices:\n' +
        ['m_1', 'm_2'].map((id) => `  ${id}: {driver: environment/zigbee2mqtt_climate, topic: z/x}\n`).join(''),
      'site.yaml:5:57 m_2 is heard at z/x, and so is m_1 with the same driver: they would be one device counted twice; give it its own topic',
    ],
    [
      'a store that is too small',
      `${SITE}store: {budget: 1MiB}\n`,
      'site.yaml:6:17 store.budget must lie between 64MiB and 1024TiB',
    ],
    [
      'a store commit that is too slow',
      `${SITE}store: {commitEvery: 1m}\n`,
      'site.yaml:6:22 store.commitEvery must lie between 100ms and 10s',
    ],
  ])('%s', (_name, text, line) => {
    expect(lines(text)).toEqual([line])
  })

  test('a file of 10 MB is refused unread', () => {
    const [line, ...more] = lines(`# ${'x'.repeat(10 * 1024 * 1024)}\n`)
    expect(line).toMatch(/^site\.yaml:1:1 is 10MiB, more than 1MiB: is this the right file\?/)
    expect(more).toEqual([])
  })

  test('binary, GBK, missing, a folder', () => {
    expect(check({ 'site.yaml': new Uint8Array([1, 0, 2]) }).lines).toEqual([
      'site.yaml:1:1 is not a text file: it has a zero byte at offset 1',
    ])
    expect(
      check({ 'site.yaml': new Uint8Array([...Buffer.from('site: {id: a, name: '), 0xc3, 0xfb, 0x7d]) }).lines,
    ).toEqual(['site.yaml:1:1 is GBK, not UTF-8: save it as UTF-8'])
    expect(check({ 'other.yaml': '' }).lines).toEqual(['site.yaml:1:1 cannot be read: there is no such file'])
    expect(check({ 'site.yaml/x': '' }).lines).toEqual(['site.yaml:1:1 is not a file'])
  })
})

describe('expressions', () => {
  test.each([
    ['pump_1.runing', /^site\.yaml:7:45 alarms\.r\.when: .*runing.*running/],
    ['pump_2.running', /^site\.yaml:7:38 alarms\.r\.when: .*pump_2.*pump_1/],
    ['pump_1.running && io_1.di_9', /alarms\.r\.when: .*di_9/],
    ['pump_1.frequency', /alarms\.r\.when: comes to a number/],
  ])('%s is named, with carets under the fault', (when, line) => {
    const { findings, lines: found } = check({ 'site.yaml': rule(`when: "${when}"`) })
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(line)
    expect(findings[0]?.caret?.split('\n')[0]).toBe(when)
    expect(findings[0]?.caret?.split('\n')[1]).toMatch(/^ *\^+$/)
  })

  test('the place within the line is that of the fault', () => {
    const { findings } = check({ 'site.yaml': rule('when: "pump_1.running && io_1.di_9"') })
    const text = rule('when: "pump_1.running && io_1.di_9"').split('\n')[6] ?? ''
    expect(text.slice((findings[0]?.col ?? 0) - 1)).toMatch(/^(io_1\.di_9|di_9)/)
  })

  test('integer literals widen, points are typed', () => {
    expect(lines(rule('when: pump_1.frequency + 1 > 50'))).toEqual([])
  })
})

describe('addresses of meters', () => {
  const driver = (protocol: string, more = '') =>
    `driver: meter/own\ntitle: Own\ncategory: meter\nprotocol: ${protocol}\n${more}points: {}\n`
  const site = (address: string, wire = '/dev/ttyS0') =>
    `site: {id: a}\nbuses: {b: {wire: "${wire}"}}\ndevices: {m: {driver: meter/own, bus: b, address: ${address}}}\n`
  const said = (address: string, protocol: string, wire?: string) =>
    check({ 'site.yaml': site(address, wire), 'drivers/meter/own.yaml': driver(protocol) })

  test('a number where leading zeros count is refused, and the quoted form shown', () => {
    expect(said('12345678', 'dlt645').lines).toEqual([
      'site.yaml:3:51 address 12345678 is a number: quote it, "000012345678"',
    ])
    expect(said('000012345678', 'dlt645').lines).toEqual([
      'site.yaml:3:51 address 12345678 is a number: quote it, "000012345678"',
    ])
    expect(said('12345678', 'cjt188').lines).toContain(
      'site.yaml:3:51 address 12345678 is a number: quote it, "00000012345678"',
    )
  })

  test('what the protocol says of a quoted one is told', () => {
    expect(said('"12345678"', 'dlt645').lines).toEqual([
      'site.yaml:3:51 "12345678" has 8 digits, a meter number has 12: leading zeros count, "000012345678"',
    ])
    expect(said('"999999999999"', 'dlt645').lines[0]).toContain('is broadcast')
    expect(said('"000012345678"', 'mbus').lines[0]).toContain('is no M-Bus address')
  })

  test('a good one is kept as it is written, with the pace and the line of its kind', () => {
    const { site: resolved, lines: found } = said('"000012345678"', 'dlt645')
    expect(found).toEqual([])
    expect(resolved?.devices[0]?.link).toMatchObject({
      protocol: 'dlt645',
      address: '000012345678',
      line: { baud: 2400, parity: 'E' },
      limits: { timeoutMs: 1000, maxGap: 8 },
    })
  })

  test('its block says what it bears', () => {
    const own = driver('dlt645', 'dlt645: {timeout: 2s, rows: false, minGap: 200ms}\n')
    const { site: resolved } = check({ 'site.yaml': site('"000012345678"'), 'drivers/meter/own.yaml': own })
    expect(resolved?.devices[0]?.link).toMatchObject({ limits: { timeoutMs: 2000, maxGap: 0, minGapMs: 200 } })
    const foreign = driver('dlt645', 'modbus: {timeout: 2s}\n')
    expect(check({ 'site.yaml': site('"000012345678"'), 'drivers/meter/own.yaml': foreign }).lines.join('\n')).toMatch(
      /modbus.*dlt645/,
    )
  })

  test('meters do not stand on Modbus TCP', () => {
    expect(said('"000012345678"', 'dlt645', 'modbus-tcp://10.0.0.1').lines).toEqual([
      'site.yaml:3:39 m speaks dlt645, which does not run on modbus-tcp://10.0.0.1: it wants a serial port or tcp://host:port',
    ])
  })

  test('a Modbus unit and a meter number never collide on one wire', () => {
    const both = `site: {id: a}\nbuses: {b: {wire: /dev/ttyS0}}\ndevices:
  m: {driver: meter/own, bus: b, address: "000000000001"}
  n: {driver: meter/eastron_sdm120, bus: b, address: 1}
  o: {driver: meter/own, bus: b, address: "000000000001"}\n`
    const found = check({ 'site.yaml': both, 'drivers/meter/own.yaml': driver('dlt645') }).lines
    expect(found).toEqual(['site.yaml:6:43 o has address 000000000001 on bus b, and so has m'])
  })
})

describe('drivers beside the site file', () => {
  const site = SITE.replace('pump/abb_acs580', 'pump/own')
  const own = 'driver: pump/own\ntitle: Own\ncategory: pump\nprotocol: modbus\npoints: {running: {at: coil 0}}\n'

  test('are found', () => {
    expect(lines(site, { 'drivers/pump/own.yaml': own })).toEqual([])
  })

  test('win over the library, and check says so', () => {
    const shadow = own.replace('pump/own', 'pump/abb_acs580')
    const { lines: found, site: resolved } = check({ 'site.yaml': SITE, 'drivers/pump/abb_acs580.yaml': shadow })
    expect(found[0]).toMatch(
      /^site\.yaml:4:20 driver pump\/abb_acs580 comes from .*drivers\/pump\/abb_acs580\.yaml, in place of the installed one$/,
    )
    expect(resolved?.points.filter(({ device }) => device === 0).map(({ key }) => key)).toEqual(['running'])
  })

  test('with errors are named in both places', () => {
    const found = lines(site, { 'drivers/pump/own.yaml': own.replace('coil 0', 'coil x') })
    expect(found).toEqual([expect.stringMatching(/^drivers\/pump\/own\.yaml:5:\d+ at: coil x is no place/)])
    const broken = lines(site, { 'drivers/pump/own.yaml': own.replace('title', 'titel') })
    expect(broken.some((line) => /own\.yaml:2:1 unknown key titel in .*did you mean title/.test(line))).toBe(true)
    expect(broken.some((line) => line.startsWith('site.yaml:4:20 driver pump/own has errors of its own'))).toBe(true)
  })

  test('may extend one parent, no chain', () => {
    const child = 'driver: pump/child\nextends: pump/abb_acs580\ntitle: Child\npoints: {running: {deadband: 1}}\n'
    const grandchild = 'driver: pump/grandchild\nextends: pump/child\n'
    const files = { 'drivers/pump/child.yaml': child, 'drivers/pump/grandchild.yaml': grandchild }
    const { site: resolved, lines: found } = check({ ...files, 'site.yaml': SITE.replace('abb_acs580', 'child') })
    expect(found).toEqual([])
    expect(resolved?.points.find(({ id }) => id === 'pump_1.running')).toMatchObject({ deadband: 1, type: 'bool' })
    expect(resolved?.devices[0]).toMatchObject({
      driver: 'pump/child',
      model: { en: 'Child', zh: 'Child' },
      category: 'pump',
    })
    expect(lines(SITE.replace('abb_acs580', 'grandchild'), files)[0]).toMatch(/extends another driver itself/)
  })

  test('that extends itself, and one that extends a broken one, are told apart from one that is not there', () => {
    const self = own.replace('title', 'extends: pump/own\ntitle')
    const child = 'driver: pump/child\nextends: pump/own\ntitle: Child\n'
    const files = { 'drivers/pump/own.yaml': self, 'drivers/pump/child.yaml': child }
    const found = lines(SITE.replace('abb_acs580', 'child'), files).map((line) =>
      line.replace(/\/\S*\/drivers/g, 'drivers'),
    )
    expect(found[0]).toBe('drivers/pump/own.yaml:2:10 pump/own extends itself: name another driver, or remove extends')
    expect(found[1]).toMatch(/^drivers\/pump\/child\.yaml:2:10 driver pump\/own has errors of its own: see /)
  })

  test('a driver name never leaves its folder', () => {
    expect(lines(SITE.replace('pump/abb_acs580', '../../etc/passwd'))[0]).toMatch(/must be a driver as category\/model/)
  })
})

describe('all findings, not only the first', () => {
  test('of several kinds at once, in order of place', () => {
    const found = lines(
      SITE.replace('jinxiu_3}', 'jinxiu_3, timezone: Nowhere}')
        .replace('address: 1}', 'adress: 1}')
        .replace('address: 8', 'address: 900')
        .concat('alarms:\n  r: {when: pump_1.runing, priority: low, text: t}\nstore: {budget: 2}\n'),
    )
    expect(found.map((line) => line.split(' ')[0])).toEqual([
      'site.yaml:1:32',
      'site.yaml:4:3',
      'site.yaml:4:49',
      'site.yaml:5:63',
      'site.yaml:7:20',
      'site.yaml:8:17',
    ])
  })

  test('what names a device with a broken driver is not blamed for it', () => {
    const found = lines(rule('when: pump_1.running, do: [{write: pump_1.x, value: 1}]').replace('abb_acs580', 'none'))
    expect(found).toEqual([expect.stringMatching(/^site\.yaml:4:20 there is no driver pump\/none/)])
  })

  test('what sits on a bus with a broken wire is not blamed for it', () => {
    expect(lines(SITE.replace('modbus-tcp:', 'modbustcp:'))).toEqual([expect.stringMatching(/^site\.yaml:2:23 wire /)])
    expect(lines(SITE.replace('wire:', 'wier:'))).toEqual([
      expect.stringMatching(/^site\.yaml:2:16 wire is missing in buses\.pumps/),
      expect.stringMatching(/^site\.yaml:2:17 unknown key wier in buses\.pumps; did you mean wire\?/),
    ])
  })
})

test('findings are printed in both languages and as JSON', () => {
  const [finding] = check({ 'site.yaml': SITE.replace('acs580, bus: pumps', 'acs580, bus: pump') }).findings
  expect(findingText(finding!, 'zh')).toMatch(/site\.yaml:4:42 没有总线 pump；是否应为 pumps？$/)
  expect(findingJson(finding!, 'en')).toEqual({
    file: expect.stringMatching(/site\.yaml$/),
    line: 4,
    col: 42,
    severity: 'error',
    message: 'there is no bus pump; did you mean pumps?',
  })
})

test('a bus that cannot keep its polls is a warning', () => {
  const root = folder({ 'site.yaml': SITE })
  const { site, findings } = checkSite(join(root, 'site.yaml'), {
    libraries: [LIBRARY],
    credentials: null,
    predict: (of) => of.buses.map(({ index }) => ({ bus: index, cycleMs: 1250.2, utilisation: 1.25 })),
  })
  expect(site).not.toBeNull()
  expect(findings.map(({ severity, line, message }) => [severity, line, message.en])).toEqual([
    [
      'warning',
      2,
      'bus pumps cannot keep its poll intervals: they ask for 125 % of its time, a round takes 1251ms; poll slower or split the bus',
    ],
  ])
})

test('what a bus complains of stands where its device or the bus is written', () => {
  const root = folder({ 'site.yaml': SITE })
  const complaints = [
    { device: 1, message: { en: 'io_1 is late', zh: 'io_1 过慢' } },
    { device: null, message: { en: 'all are late', zh: '全部过慢' } },
  ]
  const { findings } = checkSite(join(root, 'site.yaml'), {
    libraries: [LIBRARY],
    credentials: null,
    predict: () => [{ bus: 0, cycleMs: 1, utilisation: 2, complaints }],
  })
  expect(findings.map(({ line, col, message }) => [line, col, message.en])).toEqual([
    [2, 9, 'all are late'],
    [5, 3, 'io_1 is late'],
  ])
})

test('more findings than anybody reads end with a line that says so', () => {
  const many = Array.from(
    { length: 600 },
    (_, index) => `  d_${index}: {driver: pump/none, bus: pumps, address: 1}\n`,
  ).join('')
  const { findings, site } = check({ 'site.yaml': SITE + many })
  expect(site).toBeNull()
  expect(findings).toHaveLength(501)
  expect(findings.at(-1)?.message.en).toBe('more than 500 findings: mend these first')
})

test('the library beside the site file shadows nothing', () => {
  const files = {
    'drivers/pump/own.yaml':
      'driver: pump/own\ntitle: Own\ncategory: pump\nprotocol: modbus\npoints: {running: {at: coil 0}}\n',
  }
  const root = folder({ ...files, 'site.yaml': SITE.replace('pump/abb_acs580', 'pump/own') })
  const libraries = [join(root, 'drivers'), LIBRARY]
  expect(checkSite(join(root, 'site.yaml'), { libraries, credentials: null }).findings).toEqual([])
})

test('loadSite throws all errors, a line each', () => {
  const root = folder({ 'site.yaml': SITE.replace('address: 8', 'address: 0').replace('abb_acs580', 'none') })
  expect(() => loadSite(join(root, 'site.yaml'), { libraries: [LIBRARY] })).toThrow(
    /site\.yaml:4:20 there is no driver.*\n.*site\.yaml:5:63 address 0/,
  )
})

test('no mutation of a site file ever throws', () => {
  const root = folder({})
  const pieces = SITE.split(/(?<=[\s{},:])/)
  fc.assert(
    fc.property(
      fc.nat(pieces.length - 1),
      fc.constantFrom('', '{}', '[1]', 'null', '-1', '1e99', '__proto__', 'true', '"', 'x'),
      (at, piece) => {
        const text = pieces.toSpliced(at, 1, piece).join('')
        const { findings, site } = check({ 'site.yaml': text })
        expect(site === null).toBe(findings.some(({ severity }) => severity === 'error'))
      },
    ),
    { numRuns: 60 },
  )
  expect(root).not.toBe('')
})
