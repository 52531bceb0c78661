/** Bytes of a message as a JSON document or plain text, within limits; and fields of it by path. */
import { DEPTH_MAX, PAYLOAD_MAX, type Refusal } from './payload.ts'

export type Document =
  | { readonly kind: 'json'; readonly json: unknown }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly why: Refusal }

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** `text` is the answer for what is UTF-8 but no JSON: some publish bare words. */
export function parseDocument(payload: Uint8Array): Document {
  if (payload.length === 0) return { kind: 'refused', why: 'empty' }
  if (payload.length > PAYLOAD_MAX) return { kind: 'refused', why: 'too_large' }
  if (isDeeperThan(payload, DEPTH_MAX)) return { kind: 'refused', why: 'too_deep' }
  const text = decode(payload)
  if (text === null) return { kind: 'refused', why: 'not_utf8' }
  if (text.trim() === '') return { kind: 'refused', why: 'empty' }
  try {
    return { kind: 'json', json: JSON.parse(text) as unknown }
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'text', text }
    throw error
  }
}

function decode(payload: Uint8Array): string | null {
  try {
    return UTF8.decode(payload)
  } catch (error) {
    // A fatal decoder has no other way to say no.
    if (error instanceof TypeError) return null
    throw error
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

function isDeeperThan(payload: Uint8Array, depthMax: number): boolean {
  let depth = 0
  let quoted = false
  for (let at = 0; at < payload.length; at++) {
    const byte = payload[at] ?? 0
    if (quoted) {
      if (byte === BACKSLASH) at += 1
      else if (byte === QUOTE) quoted = false
    } else if (byte === QUOTE) quoted = true
    else if (OPENING.has(byte)) {
      depth += 1
      if (depth > depthMax) return true
    } else if (CLOSING.has(byte)) depth -= 1
  }
  return false
}

/** Steps of a path: `$` none, `a.b` two, `a[0].b` three; a leading `$.` may be written. */
export function stepsOf(path: string): readonly string[] {
  const inner = path.replace(/^\$\.?/, '').replace(/\[(\d+)\]/g, '.$1')
  return inner === '' ? [] : inner.replace(/^\./, '').split('.')
}

/** undefined: the document has no such field. Own properties only, so `__proto__` and `constructor` are names like others. */
export function fieldOf(json: unknown, steps: readonly string[]): unknown {
  let here = json
  for (const step of steps) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined
    here = (here as Readonly<Record<string, unknown>>)[step]
  }
  return here
}

export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
