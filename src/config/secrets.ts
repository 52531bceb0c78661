/**
 * Secrets: a systemd credential of that name, else a 0600 file `secrets/NAME` beside the site file. What comes out prints `***`
 * wherever it is printed; `reveal()` is called where it is used.
 */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { Secret } from '../model/site.ts'
import type { Text } from '../model/point.ts'
import { systemReason } from '../driver/reason.ts'

const HIDDEN = '***'

class HiddenText implements Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  [inspect.custom](): string {
    return HIDDEN
  }
}

export function createSecret(text: string): Secret {
  return new HiddenText(text)
}

export type SecretFault =
  | { readonly why: 'missing'; readonly path: string }
  | { readonly why: 'mode'; readonly path: string; readonly mode: string }
  | { readonly why: 'unreadable'; readonly text: Text }

export type SecretFolders = {
  /** `$CREDENTIALS_DIRECTORY`; null where systemd gave none. */
  readonly credentials: string | null
  /** `secrets/` beside the site file. */
  readonly beside: string
}

export function readSecret(name: string, { credentials, beside }: SecretFolders): Secret | SecretFault {
  if (credentials !== null) {
    // systemd made these for this service alone; their mode is its business.
    const found = readOwn(join(credentials, name), false)
    if (!('why' in found) || found.why !== 'missing') return found
  }
  return readOwn(join(beside, name), true)
}

function readOwn(path: string, checkMode: boolean): Secret | SecretFault {
  try {
    const handle = openSync(path, 'r')
    try {
      const { mode } = fstatSync(handle)
      if (checkMode && (mode & 0o077) !== 0) return { why: 'mode', path, mode: (mode & 0o777).toString(8) }
      // Editors and echo end a file with a newline; no password does.
      return createSecret(readFileSync(handle, 'utf8').replace(/\r?\n$/, ''))
    } finally {
      closeSync(handle)
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    if ('code' in error && error.code === 'ENOENT') return { why: 'missing', path }
    return { why: 'unreadable', text: systemReason(error) }
  }
}

/** Whole or not at all: written beside, synced, renamed, the folder synced. Mode 0600, owned as the folder is. Throws what the disk says. */
export function writeSecret(name: string, text: string, beside: string): string {
  mkdirSync(beside, { recursive: true, mode: 0o700 })
  const path = join(beside, name)
  // No name of a secret begins with a dot.
  const draft = join(beside, `.${name}.new`)
  const handle = openSync(draft, 'w', 0o600)
  try {
    const { uid, gid } = statSync(beside)
    if (process.getuid?.() === 0) fchownSync(handle, uid, gid)
    fchmodSync(handle, 0o600)
    writeSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(draft, path)
  const folder = openSync(beside, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
  return path
}
