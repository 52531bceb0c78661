/**
 * The site's own key, and the pseudonyms made with it: HMAC-SHA-256 over a card number's text, its first 24 hex digits. A plain hash
 * would not do: all 2^32 card numbers are tried in seconds. The key is made at the first start, never leaves the site, and belongs
 * to the data: with another key every card is a stranger.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Pseudonym } from '../image/intake.ts'
import type { Secret } from '../model/site.ts'
import { Halt } from '../runtime/halt.ts'
import { readSecret } from './secrets.ts'

export const SITE_KEY = 'site_key'
const KEY_BYTES = 32
const PSEUDONYM_DIGITS = 24

/** A systemd credential `site_key`, else the 0600 file `secrets/site_key` in the data directory, which is made where it is missing. */
export function openSiteKey(data: string, credentials: string | null): Secret {
  const folder = join(data, 'secrets')
  const known = readSecret(SITE_KEY, { credentials, beside: folder })
  if (!('why' in known)) return checked(known)
  if (known.why === 'mode')
    throw new Halt({
      kind: 'permission',
      text: {
        en: `${known.path} can be read by others (mode ${known.mode})`,
        zh: `${known.path} 可被其他用户读取（权限 ${known.mode}）`,
      },
      hint: { en: `chmod 600 ${known.path}`, zh: `执行 chmod 600 ${known.path}` },
    })
  if (known.why === 'unreadable')
    throw new Halt({
      kind: 'disk',
      text: { en: `the site key cannot be read: ${known.text.en}`, zh: `无法读取站点密钥：${known.text.zh}` },
      hint: null,
    })
  make(folder)
  const made = readSecret(SITE_KEY, { credentials: null, beside: folder })
  if ('why' in made) throw new Error(`the site key was written to ${folder} and cannot be read back: ${made.why}`)
  return checked(made)
}

/** The key of a gateway that has run with this data, to look at and not to make; null: none that we may read. */
export function findSiteKey(data: string, credentials: string | null): Secret | null {
  const known = readSecret(SITE_KEY, { credentials, beside: join(data, 'secrets') })
  return 'why' in known ? null : checked(known)
}

export function createPseudonym(key: Secret): Pseudonym {
  const bytes = Buffer.from(key.reveal(), 'hex')
  return (text) => createHmac('sha256', bytes).update(text).digest('hex').slice(0, PSEUDONYM_DIGITS)
}

function checked(key: Secret): Secret {
  if (new RegExp(`^[0-9a-fA-F]{${KEY_BYTES * 2}}$`).test(key.reveal())) return key
  throw new Halt({
    kind: 'usage',
    text: {
      en: `the secret ${SITE_KEY} must be ${KEY_BYTES} bytes in hexadecimal`,
      zh: `密钥 ${SITE_KEY} 应为 ${KEY_BYTES} 字节的十六进制`,
    },
    hint: { en: `openssl rand -hex ${KEY_BYTES} makes one`, zh: `用 openssl rand -hex ${KEY_BYTES} 生成` },
  })
}

/** Durable before the first pseudonym is: a key that a power cut takes away makes strangers of all cards seen so far. */
function make(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = openSync(join(folder, SITE_KEY), 'wx', 0o600)
  try {
    writeSync(file, `${randomBytes(KEY_BYTES).toString('hex')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  const directory = openSync(folder, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
