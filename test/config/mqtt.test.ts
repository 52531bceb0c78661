import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { checkSite } from '../../src/config/check.ts'
import { createSecret } from '../../src/config/secrets.ts'
import { CERTIFICATE, KEY } from '../broker/certificate.ts'
import { check, folder, LIBRARY, siteOf } from '../driver/folder.ts'

/** Damaged. */
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

test('a secret prints *** wherever it is printed', () => {
  const secret = createSecret('hunter2')
  const text: unknown = secret
  const prints = [`${text as string}`, JSON.stringify({ secret }), inspect({ secret }), inspect(secret)]
  for (const print of prints) {
    expect(print).toContain('***')
    expect(print).not.toContain('hunter2')
  }
  expect(secret.reveal()).toBe('hunter2')
})

describe('secrets', () => {
  const UPLINK =
    'site: {id: s}\nuplinks: {cloud: {servers: ["mqtts://h:8883"], username: u, password: {secret: cloud}}}\n'

  test('come from a 0600 file beside the site file, without its newline', () => {
    const site = siteOf({ 'site.yaml': UPLINK, 'secrets/cloud': 'p w\n' })
    expect(site.uplinks[0]?.password?.reveal()).toBe('p w')
    expect(JSON.stringify(site)).not.toContain('p w')
    expect(inspect(site, { depth: 9 })).not.toContain('p w')
  })

  test('come from systemd first', () => {
    const root = folder({ 'site.yaml': UPLINK, 'secrets/cloud': 'file', 'credentials/cloud': 'systemd' })
    const { site } = checkSite(join(root, 'site.yaml'), {
      libraries: [LIBRARY],
      credentials: join(root, 'credentials'),
    })
    expect(site?.uplinks[0]?.password?.reveal()).toBe('systemd')
    const without = checkSite(join(root, 'site.yaml'), { libraries: [LIBRARY], credentials: join(root, 'none') })
    expect(without.site?.uplinks[0]?.password?.reveal()).toBe('file')
  })

  test('that others may read are refused', () => {
    const root = folder({ 'site.yaml': UPLINK, 'secrets/cloud': 'x' })
    chmodSync(join(root, 'secrets/cloud'), 0o640)
    const { site, findings } = checkSite(join(root, 'site.yaml'), { libraries: [LIBRARY], credentials: null })
    expect(site).toBeNull()
    expect(findings[0]?.message.en).toMatch(
      /^secret cloud: others may read .*\/secrets\/cloud \(mode 640\): chmod 600$/,
    )
  })

  test('that are missing are named, with the way to write them', () => {
    expect(check({ 'site.yaml': UPLINK }).lines).toEqual([
      expect.stringMatching(
        /^site\.yaml:2:71 secret cloud is not there: gatehouse secret set cloud writes .*\/secrets\/cloud$/,
      ),
    ])
  })

  test('a name never leaves the folder', () => {
    expect(check({ 'site.yaml': UPLINK.replace('{secret: cloud}', '{secret: ../x}') }).lines[0]).toMatch(
      /must be the name of a secret/,
    )
  })

  test('in clear are refused, but in a lab', () => {
    const clear = UPLINK.replace('{secret: cloud}', 'hunter2')
    const { lines } = check({ 'site.yaml': clear })
    expect(lines).toEqual([expect.stringMatching(/^site\.yaml:2:71 uplinks\.cloud\.password is written in clear/)])
    expect(lines.join()).not.toContain('hunter2')
    expect(siteOf({ 'site.yaml': `lab: true\n${clear}` }).uplinks[0]?.password?.reveal()).toBe('hunter2')
  })
})

describe('uplinks', () => {
  const text = (keys: string) => `site: {id: s}\nuplinks: {cloud: {${keys}}}\n`

  test('have their defaults', () => {
    expect(siteOf({ 'site.yaml': text('servers: ["mqtts://h:8883"]') }).uplinks).toEqual([
      {
        id: 'cloud',
        dialect: 'native',
        tenant: 'demo',
        servers: ['mqtts://h:8883'],
        username: null,
        password: null,
        tls: null,
        confirm: 'puback',
        backfill: { bytesPerSecond: 32_768, delayMs: 30_000 },
        budgetBytesPerDay: null,
        keepaliveS: 30,
      },
    ])
  })

  test('read certificates beside the site file', () => {
    const site = siteOf({
      'site.yaml': text(
        'servers: ["mqtts://h"], tls: {ca: ca.pem, cert: gw.pem, key: {secret: k}}, budget: 30MiB/d, keepalive: 60s',
      ),
      'ca.pem': CERTIFICATE + CERTIFICATE,
      'gw.pem': CERTIFICATE,
      'secrets/k': 'KEY',
    })
    expect(site.uplinks[0]).toMatchObject({
      tls: { ca: CERTIFICATE + CERTIFICATE, cert: CERTIFICATE },
      budgetBytesPerDay: 30 * 2 ** 20,
      keepaliveS: 60,
    })
    expect(site.uplinks[0]?.tls?.key?.reveal()).toBe('KEY')
  })

  test.each([
    [
      'unencrypted beyond this machine',
      'servers: ["mqtt://10.0.0.1"]',
      /mqtt:\/\/10\.0\.0\.1 leaves this machine unencrypted: use mqtts/,
    ],
    [
      'a name that only begins like loopback',
      'servers: ["mqtt://127.0.0.1.evil.example"]',
      /leaves this machine unencrypted/,
    ],
    ['a password in the address', 'servers: ["mqtts://u:p@h"]', /a password within an address/],
    ['no address', 'servers: ["h:8883"]', /h:8883 is no address: write mqtt:\/\/host:1883, mqtts:\/\/host:8883$/],
    ['no server', 'servers: []', /uplinks\.cloud\.servers must be a list of at least 1, not \[\]$/],
    [
      'a path behind the port',
      'servers: ["mqtts://h:8883/mqtt?x=1"]',
      /mqtts:\/\/ ends with the port: remove \/mqtt\?x=1$/,
    ],
    [
      'a dialect of a later version',
      'servers: ["mqtts://h"], dialect: sparkplug_b',
      /^site\.yaml:2:\d+ uplinks\.cloud\.dialect must be native \(.*later version\), not sparkplug_b$/,
    ],
    [
      'a confirmation of a later version',
      'servers: ["mqtts://h"], confirm: e2e',
      /^site\.yaml:2:\d+ confirm: e2e comes with a later version/,
    ],
    ['a certificate that is not there', 'servers: ["mqtts://h"], tls: {ca: no.pem}', /no\.pem: there is no such file/],
    [
      'a certificate that is none',
      'servers: ["mqtts://h"], tls: {ca: site.yaml}',
      /site\.yaml: holds no certificate in PEM form/,
    ],
    ['an unknown dialect', 'servers: ["mqtts://h"], dialect: sparkplug', /dialect must be .*native/],
    ['a short keepalive', 'servers: ["mqtts://h"], keepalive: 1s', /keepalive must lie between 5s and 1h/],
  ])('with %s are refused', (_name, keys, line) => {
    const { site, lines } = check({ 'site.yaml': text(keys) })
    expect(site).toBeNull()
    expect(lines[0]).toMatch(line)
    expect(lines).toHaveLength(1)
  })

  test('unencrypted on loopback, or in a lab, are fine', () => {
    expect(
      check({ 'site.yaml': text('servers: ["mqtt://127.0.0.1:1883", "mqtt://localhost", "mqtt://[::1]"]') }).lines,
    ).toEqual([])
    expect(check({ 'site.yaml': `lab: true\n${text('servers: ["mqtt://10.0.0.1"]')}` }).lines).toEqual([])
  })

  test('a damaged certificate or key is a warning: the site does without the cloud', () => {
    const tls = 'tls: {ca: ca.pem, cert: gw.pem, key: {secret: k}}'
    const files = { 'ca.pem': CERTIFICATE + PEM, 'gw.pem': PEM, 'secrets/k': 'x' }
    const { site, findings } = check({ 'site.yaml': text(`servers: ["mqtts://h"], ${tls}`), ...files })
    expect(site).not.toBeNull()
    expect(findings.map(({ severity, message }) => `${severity} ${message.en.slice(0, 40)}`)).toEqual([
      'warning ca.pem: its certificate is damaged, so n',
      'warning gw.pem: its certificate is damaged, so n',
      'warning secret k: this private key is damaged or',
    ])
  })

  test('commands are accepted, and said to come later', () => {
    const { site, findings } = check({
      'site.yaml': text('servers: ["mqtts://h"], commands: {auth: jws, keys: {ops_1: {key: ops.pub, allow: [read]}}}'),
    })
    expect(site).not.toBeNull()
    expect(findings.map(({ severity, id }) => [severity, id])).toEqual([['warning', 'commandsLater']])
  })
})

describe('the local broker', () => {
  const text = (keys: string) => `site: {id: s}\nbroker: {${keys}}\n`

  test('has listeners and clients', () => {
    const site = siteOf({
      'site.yaml': text(
        'listen: ["mqtt://127.0.0.1", "mqtt://0.0.0.0:1884", "ws://[::1]:9001"], clients: {zigbee: {password: {secret: z}, publish: ["zigbee2mqtt/#"], subscribe: ["zigbee2mqtt/+/set"]}}',
      ),
      'secrets/z': 'pw',
    })
    expect(site.broker).toMatchObject({
      listen: [
        { kind: 'mqtt', host: '127.0.0.1', port: 1883 },
        { kind: 'mqtt', host: '0.0.0.0', port: 1884 },
        { kind: 'ws', host: '::1', port: 9001 },
      ],
      tls: null,
      connect: null,
      clients: [{ id: 'zigbee', publish: ['zigbee2mqtt/#'], subscribe: ['zigbee2mqtt/+/set'] }],
    })
  })

  test.each([
    ['neither listens nor connects', 'clients: {}', /needs exactly one of listen/],
    ['does both', 'listen: ["mqtt://127.0.0.1"], connect: {server: "mqtt://h"}', /needs exactly one of listen/],
    [
      'lets somebody in from outside without a password',
      'listen: ["mqtt://0.0.0.0"], clients: {a: {}}',
      /client a has no password/,
    ],
    ['has mqtts without a certificate', 'listen: ["mqtts://0.0.0.0"]', /mqtts:\/\/ needs tls/],
    [
      'listens twice at one place',
      'listen: ["mqtt://127.0.0.1:1884", "ws://127.0.0.1:1884"]',
      /^site\.yaml:2:\d+ the broker listens on 127\.0\.0\.1:1884 already/,
    ],
    [
      'has a key that others may read',
      'listen: ["mqtts://127.0.0.1"], tls: {cert: cert.pem, key: key.pem}',
      /^site\.yaml:2:\d+ others may read the private key key\.pem \(mode 644\): chmod 600$/,
    ],
    [
      'has a damaged certificate',
      'listen: ["mqtts://127.0.0.1"], tls: {cert: bad.pem, key: {secret: k}}',
      /^site\.yaml:2:\d+ bad\.pem: its certificate is damaged/,
    ],
    [
      'has a user whose name is no id',
      'listen: ["mqtt://127.0.0.1"], clients: {Zig-Bee: {}}',
      /^site\.yaml:2:\d+ Zig-Bee must be an id: .*; did you mean zig_bee\?$/,
    ],
    [
      'has a filter that is none',
      'listen: ["mqtt://127.0.0.1"], clients: {a: {publish: ["a/#/b"]}}',
      /must be an MQTT topic filter/,
    ],
  ])('that %s is refused', (_name, keys, line) => {
    const files = { 'cert.pem': CERTIFICATE, 'bad.pem': PEM, 'key.pem': KEY, 'secrets/k': KEY }
    const { site, lines } = check({ 'site.yaml': text(keys), ...files })
    expect(site).toBeNull()
    expect(lines).toEqual([expect.stringMatching(line)])
  })

  test('that stands elsewhere has its own users, and check says so', () => {
    const { findings } = check({ 'site.yaml': text('connect: {server: "mqtt://h"}, clients: {a: {}}') })
    expect(findings.map(({ severity, id }) => [severity, id])).toEqual([['warning', 'clientsElsewhere']])
  })
})
