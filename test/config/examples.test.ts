/** The files of `config/`: examples that pass `check`, schemas that equal what they are printed from. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { checkSite } from '../../src/config/check.ts'
import { checkDriverFile } from '../../src/driver/lint.ts'
import { printSchemas } from '../../src/config/schema.ts'
import { check, LIBRARY } from '../driver/folder.ts'

const CONFIG = fileURLToPath(new URL('../../config', import.meta.url))
const read = (name: string): string => readFileSync(join(CONFIG, name), 'utf8')
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

test('the smallest site passes', () => {
  const { site, lines } = check({ 'site.yaml': read('minimal.yaml') })
  expect(lines).toEqual([])
  expect(site?.devices).toHaveLength(1)
})

test('the example passes, once its secrets and certificates stand beside it', () => {
  const files = { 'site.yaml': read('site.example.yaml'), 'meters_b3.csv': read('meters_b3.csv') }
  const secrets = { 'secrets/zigbee': 'a', 'secrets/cloud': 'b', 'secrets/gw_key': 'c', 'ca.pem': PEM, 'gw.pem': PEM }
  const { site, lines } = check({ ...files, ...secrets })
  expect(lines).toEqual([])
  expect(site?.devices.map(({ family }) => family).filter((family) => family === 'meters_b3')).toHaveLength(6)
  expect(site?.rules.map(({ id }) => id)).toContain('water_supply_lost')
  expect(site?.rules.map(({ id }) => id)).not.toContain('pump_1.dry_run')
  // Without them, these five are all that is missing.
  expect(check(files).lines).toHaveLength(5)
})

test('the demo community passes', () => {
  const { findings, site } = checkSite(join(CONFIG, 'demo/site.yaml'), { libraries: [LIBRARY], credentials: null })
  expect(findings).toEqual([])
  expect(site?.devices.length).toBeGreaterThan(20)
})

test('the example of devices that print lines passes, and its driver', () => {
  const folder = join(CONFIG, 'textline')
  const { findings, site } = checkSite(join(folder, 'site.yaml'), { libraries: [LIBRARY], credentials: null })
  expect(findings).toEqual([])
  expect(site?.devices.map(({ link }) => link.kind)).toEqual(['lines', 'lines', 'lines'])
  expect(checkDriverFile(join(folder, 'drivers/elevator/example_line_board.yaml'), [LIBRARY])).toEqual([])
})

test('the printed schemas are up to date', async () => {
  for (const [name, text] of Object.entries(printSchemas())) await expect(text).toMatchFileSnapshot(join(CONFIG, name))
})

test('every key of the schemas that may be left out says why its default is what it is', () => {
  const described = Object.values(printSchemas()).map((text) => JSON.parse(text) as Record<string, unknown>)
  for (const schema of described) expect(schema['title']).toMatch(/^Gatehouse /)
  const { properties } = described[0] as {
    properties: Record<string, { properties: Record<string, { description?: string }> }>
  }
  for (const [name, key] of Object.entries(properties['store']!.properties)) expect(key.description, name).toBeTruthy()
})

test('nothing but examples, tables and schemas lies there', () => {
  expect(readdirSync(CONFIG).filter((name) => !/\.(yaml|csv|schema\.json)$|^(demo|textline)$/.test(name))).toEqual([])
})
