import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findingText } from '../../src/driver/finding.ts'
import { checkDriverFile } from '../../src/driver/lint.ts'
import { folder, LIBRARY } from './folder.ts'

const HEAD = `driver: meter/m
title: {en: M, zh: M}
category: meter
protocol: modbus
source: a test
proven: computed
points:
  voltage_a: {at: input 0, as: f32, unit: V, range: [0, 500]}
  relay: {at: coil 3, write: {}}
`
const REQUEST = '01 04 00 00 00 02 71 cb'
const REPLY = '01 04 04 43 66 33 34 1b 38'

function lint(tail: string, head = HEAD): readonly string[] {
  const root = folder({ 'meter/m.yaml': head + tail })
  return checkDriverFile(join(root, 'meter/m.yaml'), [LIBRARY]).map((finding) =>
    findingText(finding, 'en').slice(root.length + 1),
  )
}

function proof(keys: string): readonly string[] {
  return lint(`proof:\n  - ${keys}\n`)
}

describe('a proof', () => {
  test('that holds gives no finding', () => {
    expect(proof(`{request: "${REQUEST}", reply: "${REPLY}", samples: {voltage_a: 230.2}, plan: true}`)).toEqual([])
  })

  test('is needed', () => {
    expect(lint('')).toEqual([
      'meter/m.yaml:1:9 has no proof: add a request, its reply and the samples they give; of a composed device steps of its inputs and what follows',
    ])
  })

  test.each([
    [
      'a wrong sample',
      `{request: "${REQUEST}", reply: "${REPLY}", samples: {voltage_a: 230.3}}`,
      /voltage_a must come out as 230\.3, and comes out as 230\.20001$/,
    ],
    [
      'a value where there is none',
      `{request: "${REQUEST}", reply: "${REPLY}", samples: {voltage_a: null}}`,
      /must come out as no value/,
    ],
    [
      'a request with a wrong checksum',
      `{request: "01 04 00 00 00 02 71 cc", reply: "${REPLY}"}`,
      /request: its checksum or length is wrong; it would be 01 04 00 00 00 02 71 cb$/,
    ],
    ['a reply with a wrong checksum', `{request: "${REQUEST}", reply: "01 04 04 43 66 33 34 1b 39"}`, /reply: is /],
    ['a reply cut short', `{request: "${REQUEST}", reply: "01 04 04 43 66 33"}`, /reply: is /],
    ['a reply of another unit', `{request: "${REQUEST}", reply: "02 04 04 43 66 33 34 28 38"}`, /reply: /],
    ['no reply', `{request: "${REQUEST}"}`, /reply: is missing$/],
    [
      'a request that the planner does not make',
      `{request: "01 04 00 00 00 04 f1 c9", reply: "01 04 08 43 66 33 34 00 00 00 00 d2 29", samples: {voltage_a: 230.2}, plan: true}`,
      /the planner does not ask this \(input 0\+4\); it asks input 0\+2$/,
    ],
    [
      'a point beyond the request',
      `{request: "01 04 00 00 00 01 31 ca", reply: "01 04 02 43 66 08 2a", samples: {voltage_a: 230.2}}`,
      /voltage_a does not lie within this request \(input 0\+1\)/,
    ],
    [
      'an unknown point',
      `{request: "${REQUEST}", reply: "${REPLY}", samples: {voltage: 230.2}}`,
      /names voltage, which is no point of this device/,
    ],
    ['neither request nor payload', '{samples: {voltage_a: 1}}', /has neither request nor payload$/],
  ])('with %s is found', (_name, keys, line) => {
    const lines = proof(keys)
    expect(lines.length).toBeGreaterThan(0)
    expect(lines[0]).toMatch(line)
    expect(lines[0]).toMatch(/^meter\/m\.yaml:11:\d+ /)
  })

  test('of a write compares the request', () => {
    const right = '01 05 00 03 ff 00 7c 3a'
    expect(proof(`{request: "${right}", reply: "${right}", write: {relay: true}}`)).toEqual([])
    expect(proof(`{request: "01 05 00 03 00 00 3d ca", write: {relay: true}}`)[0]).toMatch(
      /writing relay: gives 01 05 00 03 ff 00 7c 3a$/,
    )
    expect(proof(`{request: "${right}", write: {voltage_a: 1}}`)[0]).toMatch(
      /must write exactly one point that can be written/,
    )
  })

  test('of a payload is replayed', () => {
    const head = `driver: meter/m\ntitle: M\ncategory: meter\nprotocol: mqtt\npayload: json\npoints: {temperature: {at: t, unit: °C}, on: {at: s, as: bit}}\n`
    expect(lint(`proof: [{payload: '{"t":21.5,"s":true}', samples: {temperature: 21.5, on: true}}]\n`, head)).toEqual(
      [],
    )
    expect(lint(`proof: [{payload: '{"t":21.5}', samples: {temperature: 20}}]\n`, head)[0]).toMatch(
      /comes out as 21\.5$/,
    )
    expect(lint(`proof: [{payload: '{"t":', samples: {temperature: 20}}]\n`, head)[0]).toMatch(/reply: not_json$/)
  })
})

describe('a proof of steps', () => {
  const head = `driver: meter/m
title: {en: M, zh: M}
category: meter
protocol: composed
source: a test
params: {after: {default: 180s, range: [1s, 1h], text: t}}
inputs: {door: {debounce: 200ms}, moving: {}}
derive: {stands: {expression: "!moving"}}
alarms:
  held: {when: door && stands, onDelay: params.after, offDelay: 5s, priority: low, text: t}
  pressed: {when: door, latch: true, priority: low, text: t}
`
  const steps = (keys: string): readonly string[] => lint(`proof: [{steps: [${keys}]}]\n`, head)
  const BEGIN = '{inputs: {door: true, moving: false}}'

  test('that holds gives no finding', () => {
    expect(
      steps(`${BEGIN}, {at: 179s, samples: {stands: true}, alarms: [pressed]}, {at: 180s, alarms: [held, pressed]},
        {at: 200s, inputs: {door: false}}, {at: 204s, alarms: [held, pressed]}, {at: 210s, alarms: [pressed]}`),
    ).toEqual([])
  })
  test('is needed', () => expect(lint('', head)[0]).toMatch(/has no proof/))
  test('plays the debounce and the silence of an input', () => {
    const bounce =
      '{inputs: {door: false, moving: false}}, {at: 1s, inputs: {door: true}}, {at: 1100ms, inputs: {door: false}}'
    expect(steps(`${bounce}, {at: 9s, samples: {door: false}, alarms: []}`)).toEqual([])
    expect(steps(`${BEGIN}, {at: 9s, inputs: {moving: null}, samples: {stands: null, moving: null}}`)).toEqual([])
  })
  test('an input that no step names is not connected', () => {
    expect(steps('{inputs: {door: true}}, {at: 1h, samples: {moving: null}, alarms: [pressed]}')).toEqual([])
  })
  test.each([
    ['a wrong sample', `${BEGIN}, {samples: {stands: false}}`, /stands must come out as false, and comes out as true/],
    ['a missing alarm', `${BEGIN}, {at: 1s, alarms: []}`, /alarms that must be active: -; that are: pressed/],
    ['an alarm too early', `${BEGIN}, {at: 179s, alarms: [held, pressed]}`, /active: held, pressed; that are: pressed/],
    ['an unknown input', '{inputs: {dor: true}}', /names dor/],
    ['a derived point as an input', '{inputs: {stands: true}}', /names stands/],
    ['an unknown sample', `${BEGIN}, {samples: {stand: true}}`, /names stand/],
    ['time that goes back', `${BEGIN}, {at: 9s}, {at: 8s}`, /goes back in time/],
  ])('with %s is found', (_name, keys, line) => expect(steps(keys)[0]).toMatch(line))

  test('the threshold is the parameter: with another default the proof fails', () => {
    const proof = `proof: [{steps: [${BEGIN}, {at: 180s, alarms: [held, pressed]}]}]\n`
    expect(lint(proof, head)).toEqual([])
    expect(lint(proof, head.replace('180s', '181s'))[0]).toMatch(/alarms that must be active/)
    const set = `proof: [{params: {after: 10s}, steps: [${BEGIN}, {at: 10s, alarms: [held, pressed]}]}]\n`
    expect(lint(set, head)).toEqual([])
    expect(lint(set.replace('10s}', '9h}'), head)[0]).toMatch(/does not have or allow/)
  })
  test('is only for composed devices', () => {
    expect(proof('{steps: [{at: 1s}]}')[0]).toMatch(/has steps, which composed devices have/)
  })
})

describe('a driver', () => {
  const good = `proof:\n  - {request: "${REQUEST}", reply: "${REPLY}", samples: {voltage_a: 230.2}}\n`
  test.each([
    [
      'an unknown key',
      HEAD.replace('unit: V', 'unti: V'),
      /^meter\/m\.yaml:8:37 unknown key unti in points\.voltage_a; did you mean unit\?$/,
    ],
    ['a bad place', HEAD.replace('input 0', 'inputs 0'), /at: inputs 0 is no place/],
    ['an address too high', HEAD.replace('input 0', 'input 65535'), /voltage_a: .*65535/],
    ['no encoding', HEAD.replace(', as: f32', ''), /voltage_a: input and holding need as/],
    ['a coil of many bits', HEAD.replace('coil 3', 'coil 3, as: u16'), /a coil is one bit and cannot be read as u16/],
    [
      'a writable input',
      HEAD.replace('unit: V', 'write: {}'),
      /voltage_a lies in the input table, which Modbus cannot write/,
    ],
    [
      'a forbidden point that may be written',
      HEAD.replace('write: {}', 'write: {}, forbidden: true'),
      /relay is forbidden/,
    ],
    [
      'a range the wrong way round',
      HEAD.replace('[0, 500]', '[500, 0]'),
      /points\.voltage_a\.range: the first number must be below the second/,
    ],
    ['a word of CEL', HEAD.replace('relay:', 'loop:'), /loop is a word of the expression language CEL/],
    [
      'an unknown poll',
      HEAD.replace('unit: V', 'every: fsat').replace('points:', 'polls: {fast: 1s}\npoints:'),
      /every: fsat is neither a poll of this driver nor a duration; did you mean fast\?/,
    ],
    [
      'a unit that the vocabulary has otherwise',
      HEAD.replace('unit: V', 'unit: kV'),
      /voltage_a is in kV; the vocabulary has it in V/,
    ],
    [
      'another name than its path',
      HEAD.replace('meter/m\n', 'meter/n\n'),
      /says driver meter\/n, but its path says meter\/m/,
    ],
    ['a place of another protocol', HEAD.replace('modbus', 'dlt645'), /"input 0" is not a data identifier/],
    ['an unknown parent', `extends: meter/none\n${HEAD}`, /there is no driver meter\/none/],
  ])('with %s is refused', (_name, head, line) => {
    expect(lint(good, head).join('\n')).toMatch(line)
  })

  test.each([
    [
      'a condition with an unknown point',
      'alarms: {x: {when: voltage_b > 1, priority: low, text: t}}\n',
      /alarms\.x\.when: .*voltage_b/,
    ],
    ['an alarm without priority', 'alarms: {x: {when: voltage_a > 1, text: t}}\n', /alarm x needs priority/],
    [
      'an output that cannot be written',
      'alarms: {x: {when: relay, priority: low, text: t, do: [{write: voltage_a, value: 1}]}}\n',
      /voltage_a cannot be written/,
    ],
    [
      'a derived point of nothing',
      'derive: {d: {hours: rellay}}\n',
      /derive\.d names rellay, which is no point of this device; did you mean relay\?/,
    ],
    ['hours of a number', 'derive: {d: {hours: voltage_a}}\n', /d: voltage_a is not true or false/],
    ['two forms at once', 'derive: {d: {hours: relay, count: relay}}\n', /d needs exactly one of increase/],
    ['a circle', 'derive: {d: {expression: e + 1}, e: {expression: d + 1}}\n', /depends on itself/],
    [
      'a param outside its range',
      'params: {p: {default: 5, range: [0, 1]}}\n',
      /p: the default lies outside its range/,
    ],
  ])('with %s is refused', (_name, tail, line) => {
    const lines = lint(good + tail)
    expect(lines[0]).toMatch(line)
  })

  test('computes from what was computed, whatever the order', () => {
    expect(
      lint(
        `${good}derive: {b: {expression: a * 2}, a: {expression: voltage_a + 1}, c: {hours: hot}, hot: {expression: a > 3}}\n`,
      ),
    ).toEqual([])
  })
})

test('the example of the contract is a sound driver', () => {
  const head = `driver: meter/m
title: {en: Example three-phase meter, zh: 示例三相电能表}
category: meter
brick: Electrical_Meter
protocol: modbus
manual: 3x_1based
source: the shape of a driver; registers 0, 52 and 72 as Eastron SDM630, the others for show
proven: computed
line: 9600 8N1
modbus: {order: ABCD, maxRegisters: 80, noHoles: false, minGap: 0ms}
params: {}
polls: {fast: 1s, slow: 60s}
points:
  voltage_a:     {at: input 0,   as: f32, unit: V,   every: fast, range: [0, 500], deadband: 0.5}
  power_active:  {at: input 52,  as: f32, unit: W,   every: fast}
  energy_import: {at: input 72,  as: f32, unit: kWh, every: slow, kind: counter}
  status:        {at: holding 3, as: bits, flags: {0: running, 1: fault}}
  ready:         {at: holding 3, as: bit, bit: 2}
  relay:         {at: coil 0, write: {role: operator, readBack: true, minOn: 5s}}
derive:
  energy_today:  {increase: energy_import, over: day}
alarms:
  phase_loss:
    when: voltage_a < 100
    onDelay: 10s
    priority: high
    text: {en: Phase A lost, zh: A相失电}
proof:
  - request: "01 04 00 00 00 06 70 08"
    reply: "01 04 0c 43 66 33 34 00 00 00 00 00 00 00 00 e6 34"
    samples: {voltage_a: 230.2}
`
  expect(lint('', head)).toEqual([])
})
