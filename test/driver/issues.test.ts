/** What does not fit the schema: one line for each mistake, naming the key that was meant, in both languages. */
import { expect, test } from 'vitest'
import { check } from './folder.ts'

const SITE = 'site: {id: a}\n'

test.each<[string, string, string]>([
  [
    'a key with nothing after it',
    `${SITE}devices:\n`,
    'site.yaml:2:9 devices has nothing after it: write a map of keys and values, or remove the key',
  ],
  [
    'a bare number where a text belongs',
    `${SITE}buses: {b: {wire: /dev/ttyS0}}\ndevices: {p: {driver: pump/abb_acs580, bus: b, address: 1, place: {floor: 3}}}\n`,
    'site.yaml:3:75 devices.p.place.floor must be a text of 1 to 1024 characters, not the bare 3: quote it, "3"',
  ],
  [
    'a value that is nearly an id',
    'site: {id: Jinxiu-3}\n',
    'site.yaml:1:12 site.id must be an id: lower-case letters, digits and _, beginning with a letter, at most 64, not Jinxiu-3; did you mean jinxiu_3?',
  ],
  [
    'an unknown key within a text',
    'site: {id: a, name: {fr: x}}\n',
    'site.yaml:1:22 unknown key fr in site.name; known here: en zh',
  ],
  [
    'a bad value within one form of several',
    `${SITE}devices: {l: {driver: elevator/dry_contacts, inputs: {running: {from: l.fault, debounce: 200}}}}\n`,
    'site.yaml:2:90 devices.l.inputs.running.debounce must be a duration with its unit, such as 500ms, 5s, 10m, 24h or 30d, at most 1000y, not 200',
  ],
  [
    'a text in place of a list',
    `${SITE}uplinks: {c: {servers: mqtts://h}}\n`,
    'site.yaml:2:24 uplinks.c.servers must be a list, not mqtts://h',
  ],
  [
    'a duration beyond all measure',
    `${SITE}store: {keep: {raw: 99999999999999d}}\n`,
    'site.yaml:2:21 store.keep.raw must be a duration with its unit, such as 500ms, 5s, 10m, 24h or 30d, at most 1000y, not 99999999999999d',
  ],
  [
    'a size beyond all measure',
    `${SITE}store: {budget: 99999999TiB}\n`,
    'site.yaml:2:17 store.budget must be a size with its unit, such as 64KiB or 2GiB, at most 1024TiB, not 99999999TiB',
  ],
  [
    'a rate beyond all measure',
    `${SITE}store: {wear: 99999999TiB/d}\n`,
    'site.yaml:2:15 store.wear must be an amount per second or day, such as 32KiB/s or 2GiB/d, at most 64GiB/s, not 99999999TiB/d',
  ],
])('%s is one line', (_name, text, line) => {
  expect(check({ 'site.yaml': text }).lines).toEqual([line])
})

test('a misspelt secret names the key that was meant', () => {
  const { lines } = check({ 'site.yaml': `${SITE}uplinks: {c: {servers: [mqtts://h], password: {secrt: c}}}\n` })
  expect(lines).toContainEqual(
    expect.stringMatching(/^site\.yaml:2:\d+ unknown key secrt in uplinks\.c\.password; did you mean secret\?$/),
  )
})

test('what was written for a secret is not repeated', () => {
  const { findings } = check({ 'site.yaml': `${SITE}uplinks: {c: {servers: [mqtts://h], password: 31337}}\n` })
  expect(findings).toHaveLength(1)
  expect(JSON.stringify(findings)).not.toContain('31337')
})

/** Faults whose words come from elsewhere than the table of messages. */
const SPOKEN_ELSEWHERE = `${SITE}buses: {b: {wire: /dev/ttyS0}, n: {wire: modbus-tcp://h}}
uplinks: {c: {servers: [mqtts://h], tls: {ca: x.pem, cert: site.yaml}}}
devices:
  io_1: {driver: io/waveshare_relay_8ch, bus: b, address: 8, points: {n: {at: holding 7, as: u16}}}
  l: {driver: elevator/dry_contacts, inputs: {running: io_1.n}}
  p: {driver: pump/constant_pressure_ptech, bus: b, address: 2, params: {low_pressure: abc}}
  m: {driver: meter/dlt645_2007_three_phase, bus: b, address: "12345678"}
  g: {driver: meter/cjt188_gas, bus: b, address: "x"}
  w: {driver: meter/mbus_water, bus: b, address: 300}
alarms:
  r_1: {when: "io_1.di_1 &&", priority: low, text: t, do: [{write: io_1.relay_1, value: 5}]}
  r_2: {when: "io_1.d == 5", priority: low, text: t}
`

test('every finding speaks Chinese to those who ask for it', () => {
  const { findings } = check({ 'site.yaml': SPOKEN_ELSEWHERE })
  expect(findings.length).toBeGreaterThan(9)
  for (const { message } of findings) {
    expect(message.zh).toMatch(/[\u4e00-\u9fff]/)
    expect(message.zh, message.zh).not.toMatch(/\b(a|an|the|is|was|no|must|there|not)\b/)
  }
})
