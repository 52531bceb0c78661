import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readSecret } from '../../src/config/secrets.ts'

const GATEHOUSE = fileURLToPath(new URL('../../bin/gatehouse', import.meta.url))
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-secret-'))
  writeFileSync(join(folder, 'site.yaml'), 'site: {id: a}\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const set = (args: readonly string[], input: string) =>
  spawnSync('sh', [GATEHOUSE, 'secret', ...args, '-c', join(folder, 'site.yaml')], { input, encoding: 'utf8' })

test('a secret is kept in a 0600 file of a 0700 folder, replaced whole, and never printed', () => {
  for (const text of ['hunter2', 'pa55 wörd']) {
    const { status, stdout, stderr } = set(['set', 'cloud'], `${text}\n`)
    expect(status).toBe(0)
    expect(stdout + stderr).not.toContain(text)
    const path = join(folder, 'secrets/cloud')
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700)
    const secret = readSecret('cloud', { credentials: null, beside: join(folder, 'secrets') })
    expect('reveal' in secret && secret.reveal()).toBe(text)
  }
  expect(execFileSync('ls', [join(folder, 'secrets')], { encoding: 'utf8' })).toBe('cloud\n')
})

test('every name that a site file may say can be stored', () => {
  for (const name of ['gw_key', 'Cloud-1', '4g.apn']) {
    expect(set(['set', name], 'x').status, name).toBe(0)
    expect(readFileSync(join(folder, 'secrets', name), 'utf8')).toBe('x')
  }
})

test('a wrong name, nothing, or another action is wrong usage', () => {
  expect(set(['set', '../cloud'], 'x').status).toBe(2)
  expect(set(['set', 'cloud'], '\n').status).toBe(2)
  expect(set(['show', 'cloud'], 'x').status).toBe(2)
})

test('what comes in pieces is kept as it was; what is no text is refused, not mangled', async () => {
  const child = spawn('sh', [GATEHOUSE, 'secret', 'set', 'cloud', '-c', join(folder, 'site.yaml')])
  const bytes = Buffer.from('中文')
  child.stdin.write(bytes.subarray(0, 2), () => child.stdin.end(bytes.subarray(2)))
  await once(child, 'close')
  expect(readFileSync(join(folder, 'secrets/cloud'), 'utf8')).toBe('中文')
  const { status, stderr } = spawnSync('sh', [GATEHOUSE, 'secret', 'set', 'key', '-c', join(folder, 'site.yaml')], {
    input: Buffer.from([0x30, 0x82, 0xff, 0xfe, 0x00]),
    encoding: 'utf8',
  })
  expect(status).toBe(2)
  expect(stderr).toMatch(/PEM/)
})

test('what a site file may call a secret can be set, and none is another’s draft', () => {
  for (const name of ['Cloud-Key.2', 'cloud.new', 'cloud']) expect(set(['set', name], `${name}!`).status).toBe(0)
  for (const name of ['Cloud-Key.2', 'cloud.new', 'cloud'])
    expect(readFileSync(join(folder, 'secrets', name), 'utf8')).toBe(`${name}!`)
  for (const name of ['.hidden', 'a/b', 'x'.repeat(65), '..']) expect(set(['set', name], 'x').status).toBe(2)
})
