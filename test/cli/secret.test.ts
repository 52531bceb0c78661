import { execFileSync, spawnSync } from 'node:child_process'
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

test('a wrong name, nothing, or another action is wrong usage', () => {
  expect(set(['set', '../cloud'], 'x').status).toBe(2)
  expect(set(['set', 'cloud'], '\n').status).toBe(2)
  expect(set(['show', 'cloud'], 'x').status).toBe(2)
})
