import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createPrivateKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { siteTemplate, wholeTemplate } from '../../src/cli/site-template.ts'
import { check, folder } from '../driver/folder.ts'
import { runOn } from './rig.ts'

const mode = (path: string): number => statSync(path).mode & 0o777

test.each(['en', 'zh'] as const)('%s: what it writes is sound, and so is all of it uncommented', (language) => {
  const written = siteTemplate(language, 'garden_3')
  expect(check({ 'site.yaml': written }).lines).toEqual([])
  expect(written).not.toContain('#: ')
  const secrets = { 'secrets/zigbee': 'x', 'secrets/cloud': 'x' }
  const whole = check({ 'site.yaml': wholeTemplate(language, 'garden_3'), ...secrets })
  expect(whole.lines).toEqual([])
  expect(whole.site?.devices.length).toBe(6)
})

test('makes file and folder, named after the folder', async () => {
  const at = join(folder({}), '3 Garden-North')
  const { exit, out } = await runOn(['init', at, '--lang', 'zh'])
  expect([exit, out.includes('site.yaml')]).toEqual([0, true])
  expect(readFileSync(join(at, 'site.yaml'), 'utf8')).toContain('id: garden_north')
  expect(mode(join(at, 'secrets'))).toBe(0o700)
  const key = join(at, 'secrets/gw_key')
  expect(out).toContain(key)
  expect(mode(key)).toBe(0o600)
  expect(createPrivateKey(readFileSync(key)).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
  const checked = await runOn(['check', '-c', join(at, 'site.yaml')])
  expect(checked.exit).toBe(0)
  // Of a site that reads nothing there is nothing to predict.
  expect(checked.lines).toHaveLength(1)
})

test('leaves what is there alone', async () => {
  const at = folder({ 'site.yaml': 'mine' })
  const { exit, err } = await runOn(['init', at])
  expect(exit).toBe(2)
  expect(err).toContain('is there already')
  expect(readFileSync(join(at, 'site.yaml'), 'utf8')).toBe('mine')
})

test('a secrets folder that others can read is closed', async () => {
  const at = folder({})
  mkdirSync(join(at, 'secrets'))
  writeFileSync(join(at, 'secrets', 'cloud'), 'x')
  chmodSync(join(at, 'secrets'), 0o755)
  await runOn(['init', at])
  expect(mode(join(at, 'secrets'))).toBe(0o700)
})

test('a key that is there stays: it may have its certificate already', async () => {
  const at = folder({})
  mkdirSync(join(at, 'secrets'))
  writeFileSync(join(at, 'secrets', 'gw_key'), 'mine')
  const { out } = await runOn(['init', at, '--json'])
  expect(JSON.parse(out)).toMatchObject({ keys: [join(at, 'secrets/gw_key')] })
  expect(readFileSync(join(at, 'secrets/gw_key'), 'utf8')).toBe('mine')
})
