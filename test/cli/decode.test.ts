/** `gatehouse decode` as an engineer meets it: right and wrong questions, both languages, 80 columns, a pipe, a whole process. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { width } from '../../src/cli/table.ts'
import { runOn } from './rig.ts'

const BIN = fileURLToPath(new URL('../../bin/gatehouse', import.meta.url))
const desk = mkdtempSync(join(tmpdir(), 'gatehouse-decode-'))
afterAll(() => rmSync(desk, { recursive: true, force: true }))

const decode = (...argv: string[]) => runOn(['decode', ...argv, '-d', desk])

type Wrong = [what: string, argv: string[], exit: number, en: RegExp, zh: RegExp]
const WRONG: Wrong[] = [
  ['half a byte', ['modbus', '01030'], 2, /5 hex digits are half a byte/, /不是十六进制/],
  ['no hex', ['modbus', 'hello'], 2, /"h" is not a hex digit/, /不是十六进制/],
  ['nothing', ['modbus', ''], 2, /there are no bytes/, /没有字节/],
  ['nothing at all', ['modbus'], 2, /there are no bytes/, /没有字节/],
  ['an empty request', ['modbus', '00', '--request', ''], 2, /--request: there are no bytes/, /--request：没有字节/],
  ['no topic', ['tasmota', '{}'], 2, /--topic: tele\/DEVICE\/SENSOR/, /请用 --topic/],
  ['no driver for a line', ['textline', 'x'], 2, /--driver/, /--driver/],
  ['a driver that there is not', ['textline', '--driver', 'access/nix', 'x'], 2, /no driver access\/nix/, /没有驱动/],
  [
    'a driver of no lines',
    ['textline', '--driver', 'access/uhppoted_door', 'x'],
    2,
    /no printed lines/,
    /不解析打印行/,
  ],
  [
    'a driver of another codec',
    ['json', '--driver', 'meter/tasmota_plug', '1'],
    2,
    /reads tasmota/,
    /解析的是 tasmota/,
  ],
  ['no model', ['milesight', '0175'], 2, /--model: EM300-TH/, /--model/],
  [
    'a request to a message',
    ['json', '1', '--request', '00'],
    2,
    /--request says nothing about json/,
    /--request 对 json/,
  ],
  ['a topic of a frame', ['modbus', '00', '--topic', 'x'], 2, /--topic says nothing about modbus/, /--topic 对 modbus/],
  [
    'a driver of a frame',
    ['mbus', 'e5', '--driver', 'meter/mbus_heat'],
    2,
    /--driver says nothing/,
    /--driver 对 mbus/,
  ],
  ['a printed number of no card', ['osdp', '00', '--expect', '1'], 2, /--expect says nothing/, /--expect 对 osdp/],
  ['a model of a message', ['tasmota', '{}', '--model', 'x'], 2, /--model says nothing/, /--model 对 tasmota/],
  ['a cut frame', ['modbus', '01 03 04 00 01'], 1, /4 or 3 more bytes are needed/, /还差 4 或 3 字节/],
  ['a cut meter frame', ['dlt645', '68430015062320689110333333333333'], 1, /more bytes are needed/, /还差 \d+ 字节/],
  ['a cut telegram', ['mbus', '68 1f 1f 68 08 02'], 1, /more bytes are needed/, /还差 \d+ 字节/],
  ['a cut document', ['zigbee2mqtt', '--topic', 'zigbee2mqtt/x', '{"t":'], 1, /no JSON document/, /不是 JSON 文档/],
  ['another topic', ['tasmota', '--topic', 'x', '{}'], 1, /no topic of tasmota/, /不是 tasmota 的主题/],
  [
    'the wrong request',
    ['modbus', '03030200FA41C7', '--request', '020300000001 8439'],
    0,
    /unit 3, asked was 2/,
    /请求的是 2/,
  ],
  ['a request that is none', ['modbus', '03030200FA41C7', '--request', '02'], 1, /the request is none/, /请求不是一帧/],
  ['a lost bit', ['wiegand', '0000110000001101100000001'], 1, /25 bits are no number/, /25 位/],
  ['swapped wires', ['wiegand26', '11010010111111110101110111'], 0, /D0 and D1 are swapped/, /D0 与 D1 接反/],
  ['a code of nobody', ['gb24476', '93'], 1, /no code 93 is known/, /未知代码 93/],
]

describe.each(['en', 'zh'] as const)('what is wrong, in %s', (language) => {
  test.each(WRONG)('%s', async (_what, argv, exit, en, zh) => {
    const ran = await decode(...argv, '--lang', language)
    expect(ran.exit).toBe(exit)
    expect((ran.err + ran.out).replaceAll(/\n\s*/g, ' ')).toMatch(language === 'en' ? en : zh)
    for (const line of ran.lines) expect(width(line), line).toBeLessThanOrEqual(80)
    expect(ran.err === '').toBe(exit !== 2)
  })
})

test.each([
  ['modbsu', /^known are: modbus,/],
  ['dlt', /^known are: dlt645, dlt645-1997, modbus/],
  ['zigbee', /reads|zigbee2mqtt/],
  ['__proto__', /^known are: modbus,/],
])('an unknown protocol lists those there are, the nearest first: %s', async (name, hint) => {
  const { exit, err } = await decode(name, '00', '--json')
  if (name !== 'zigbee') expect(JSON.parse(err)).toMatchObject({ error: { hint: expect.stringMatching(hint) } })
  expect(exit).toBe(2)
})

test.each(['modbus_tcp', 'MODBUS-TCP', 'ModbusTCP'])('names are taken as people write them: %s', async (name) => {
  const { exit, lines } = await decode(name, '00 08 00 00 00 05 01 03 02 00 01')
  expect([exit, lines[0]]).toEqual([0, 'modbus-tcp  reply  address 1  3 read holding registers'])
})

test.each([
  '01 03 10 18 00 01 00 CD',
  '0x01,0x03,0x10,0x18,0x00,0x01,0x00,0xCD',
  '01:03:10:18:00:01:00:cd',
  '01031018000100CD',
])('hex as people write it: %s', async (hex) => {
  const { exit, lines } = await decode('modbus', hex)
  expect([exit, lines]).toEqual([
    0,
    ['modbus-rtu  request  address 1  3 read holding registers', '  start 4120, count 1'],
  ])
})

test('noise before and behind a frame is told from it, and exit is 1', async () => {
  const { exit, lines } = await decode('modbus', 'ffff 010302002A399B 00ff')
  expect(exit).toBe(1)
  expect(lines.slice(0, 4)).toEqual([
    'modbus-rtu  reply  address 1  3 read holding registers',
    '  bytes 2',
    '  register 0  42',
    'in no frame: ffff00ff',
  ])
})

test('a reply with a zero behind it is no request', async () => {
  const { lines } = await decode('modbus', '010302002A399B 00')
  expect(lines.slice(0, 2)).toEqual(['modbus-rtu  reply  address 1  3 read holding registers', '  bytes 2'])
})

test('a message is read as its driver reads it, with units', async () => {
  const payload = '{"Time":"2026-11-23T16:45:00","ENERGY":{"Total":812.345,"Power":742}}'
  const { exit, lines } = await decode(
    'tasmota',
    '--topic',
    'tele/pump1/SENSOR',
    '--driver',
    'meter/tasmota_plug',
    payload,
  )
  expect([exit, lines]).toEqual([
    0,
    ['tasmota  message  address pump1  SENSOR', '  power_active  742 W', '  energy_import  812.345 kWh'],
  ])
})

test('functions and meanings are named in Chinese too', async () => {
  const zh = async (...argv: string[]) => (await decode(...argv, '--lang', 'zh')).lines
  expect((await zh('modbus', '0583028130')).slice(0, 2)).toEqual([
    'modbus-rtu  应答  地址 5  3 读保持寄存器',
    '  exception 2, meaning 非法数据地址',
  ])
  const [head, fields] = await zh('dlt645', '68610100000000681104333434351716')
  expect(head).toBe('dlt645  请求  地址 000000000161  11 读数据')
  expect(fields).toMatch(/meaning .*电压/)
})

test('--json is the shape of the contract', async () => {
  const { out } = await decode('tasmota', '--topic', 'stat/t/POWER', 'ON', '--json')
  expect(JSON.parse(out)).toEqual({
    frames: [
      {
        protocol: 'tasmota',
        direction: 'message',
        address: 't',
        function: 'POWER',
        fields: {},
        readings: [{ key: 'POWER', value: true, unit: null }],
        fault: null,
        note: null,
      },
    ],
    junk: '',
    why: null,
  })
})

describe('who a card belongs to', () => {
  const BITS = '00101101000000001010001000'
  const KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'

  test('is never shown; without a key as ***, and no key is made', async () => {
    const { out } = await decode('wiegand26', BITS, '--expect', '090,00324')
    expect(out).toMatch(/facility 90.*printedAs \["wiegand26_pair"\]\n {2}card {2}\*\*\*/)
    expect(out.replace('090,00324', '')).not.toContain('324')
    const line = await decode('textline', '--driver', 'access/serial_card_reader', '\\x0212345678\\r')
    expect(line.lines).toEqual(['textline  message  line', '  card  ***'])
  })

  test('as the events of this gateway bear it, where it has run', async () => {
    const data = join(desk, 'ran')
    mkdirSync(join(data, 'secrets'), { recursive: true, mode: 0o700 })
    writeFileSync(join(data, 'secrets', 'site_key'), KEY, { mode: 0o600 })
    const { out } = await runOn(['decode', 'wiegand26', BITS, '-d', data])
    expect(out).toContain('card  14ca2e64cebb0365209eaa3a')
  })
})

describe('the whole program', () => {
  const run = (argv: string[], input = '') =>
    spawnSync(BIN, ['decode', ...argv, '-d', desk], { input, encoding: 'utf8', maxBuffer: 1 << 26 })

  test('reads a payload from a pipe', () => {
    const { status, stdout } = run(
      ['chirpstack', '--topic', 'application/a/device/d/event/up', '-'],
      '{"object":{"t":21.5}}\n',
    )
    expect([status, stdout]).toEqual([
      0,
      'chirpstack_v4  message  address application/a/device/d  event/up\n  object.t  21.5\n',
    ])
  })

  test.each(['modbus', 'dlt645', 'cjt188', 'mbus', 'osdp', 'cic', 'json', 'wiegand'])(
    'a megabyte that is no %s ends with a sentence, short on a screen',
    (protocol) => {
      const { status, stdout, stderr } = run([protocol, '-'], 'fe68'.repeat(1 << 19))
      expect(stderr).toBe('')
      expect(status).toBe(1)
      expect(stdout.length).toBeLessThan(1000)
      expect(stdout).toMatch(/→ /)
    },
  )

  test('more than that is refused', () => {
    const { status, stderr } = run(['modbus', '-'], '00'.repeat(5 << 20))
    expect([status, stderr]).toEqual([2, expect.stringMatching(/more than 8388608 bytes/)])
  })
})
