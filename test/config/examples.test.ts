/** The files of `config/`: examples that pass `check`, schemas that equal what they are printed from. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { checkSite } from '../../src/config/check.ts'
import { checkDriverFile } from '../../src/driver/lint.ts'
import { printSchemas } from '../../src/config/schema.ts'
import { CERTIFICATE, KEY } from '../broker/certificate.ts'
import { check, LIBRARY } from '../driver/folder.ts'

const CONFIG = fileURLToPath(new URL('../../config', import.meta.url))
const read = (name: string): string => readFileSync(join(CONFIG, name), 'utf8')

test('the smallest site passes', () => {
  const { site, lines } = check({ 'site.yaml': read('minimal.yaml') })
  expect(lines).toEqual([])
  expect(site?.devices).toHaveLength(1)
})

test('the example passes, once its secrets and certificates stand beside it', () => {
  const files = { 'site.yaml': read('site.example.yaml'), 'meters_b3.csv': read('meters_b3.csv') }
  const secrets = {
    'secrets/zigbee': 'a',
    'secrets/cloud': 'b',
    'secrets/gw_key': KEY,
    'ca.pem': CERTIFICATE,
    'gw.pem': CERTIFICATE,
  }
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

type JsonSchema = {
  readonly description?: string
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema | boolean
  readonly anyOf?: readonly JsonSchema[]
}

/** Evidence, and a choice of exactly one: nothing holds in place of what is left out. */
const NO_DEFAULT = /^\.(proof|identify)\.\*|^\.derive\.\*\.(increase|hours|count|expression|door)$/

/** Keys that may be left out and do not say what holds then. */
function untold(schema: JsonSchema, path = ''): readonly string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const isTold = schema.required?.includes(key) === true || /\bdefault\b/i.test(value.description ?? '')
    return [...(isTold ? [] : [`${path}.${key}`]), ...untold(value, `${path}.${key}`)]
  })
  const below = [schema.additionalProperties, schema.items].filter((each) => typeof each === 'object')
  return [
    ...own,
    ...below.flatMap((each) => untold(each, `${path}.*`)),
    ...(schema.anyOf ?? []).flatMap((each) => untold(each, path)),
  ]
}

test.each(Object.entries(printSchemas()))(
  'every key of %s that may be left out says what holds then',
  (_name, text) => {
    const schema = JSON.parse(text) as JsonSchema & { readonly title: string }
    expect(schema.title).toMatch(/^Gatehouse /)
    expect(untold(schema).filter((path) => !NO_DEFAULT.test(path))).toEqual([])
  },
)

test('nothing but examples, tables and schemas lies there', () => {
  expect(readdirSync(CONFIG).filter((name) => !/\.(yaml|csv|schema\.json)$|^(demo|textline)$/.test(name))).toEqual([])
})
