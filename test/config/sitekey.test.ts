import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createSecret } from '../../src/config/secrets.ts'
import { createPseudonym, openSiteKey } from '../../src/config/sitekey.ts'
import file from '../vectors/access.json' with { type: 'json' }

type Vector = { id: string; kind: string; key_hex: string; input: string; pseudonym: string }
const VECTORS = (file.vectors as unknown as Vector[]).filter(({ kind }) => kind === 'hmac-sha256')

const root = mkdtempSync(join(tmpdir(), 'gatehouse-key-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test.each(VECTORS)('$id', ({ key_hex, input, pseudonym }) => {
  expect(createPseudonym(createSecret(key_hex))(input)).toBe(pseudonym)
})

describe('the key of a site', () => {
  test('is made at the first start, for its owner alone, and stays', () => {
    const data = join(root, 'fresh')
    const key = openSiteKey(data, null)
    const path = join(data, 'secrets/site_key')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(data, 'secrets')).mode & 0o777).toBe(0o700)
    expect(readFileSync(path, 'utf8').trim()).toBe(key.reveal())
    expect(key.reveal()).toMatch(/^[0-9a-f]{64}$/)
    expect(openSiteKey(data, null).reveal()).toBe(key.reveal())
    expect(JSON.stringify({ key })).toBe('{"key":"***"}')
    expect(openSiteKey(join(root, 'other'), null).reveal()).not.toBe(key.reveal())
  })

  test('is a systemd credential where there is one', () => {
    const credentials = join(root, 'credentials')
    mkdirSync(credentials)
    writeFileSync(join(credentials, 'site_key'), 'ab'.repeat(32))
    expect(openSiteKey(join(root, 'with'), credentials).reveal()).toBe('ab'.repeat(32))
  })

  test('is refused when others can read it, or when it is none', () => {
    const data = join(root, 'broken')
    openSiteKey(data, null)
    const path = join(data, 'secrets/site_key')
    chmodSync(path, 0o644)
    expect(() => openSiteKey(data, null)).toThrow(/can be read by others \(mode 644\)$/)
    chmodSync(path, 0o600)
    writeFileSync(path, 'secret')
    expect(() => openSiteKey(data, null)).toThrow(/must be 32 bytes in hexadecimal$/)
  })
})
