/**
 * A capture of a wire: a line of JSON that says whose it is, then one per chunk, `{"t_us":…,"dir":"in|out","hex":"…"}`. Times are
 * microseconds since `at`. Personal bytes are never in it: such a chunk has `"hex":null` and `"masked"`, how many there were.
 */
import { printHex, parseHex } from '../bytes/hex.ts'
import type { Chunk } from './frames.ts'

export type CaptureHead = {
  readonly capture: 'gatehouse/1'
  readonly site: string
  readonly bus: string
  readonly wire: string
  /** Names of framings: `rtu`, `dlt645`. */
  readonly framings: readonly string[]
  /** UTC ms of t_us 0. */
  readonly at: number
}

export type CaptureLine = {
  readonly t_us: number
  readonly dir: 'in' | 'out'
  readonly hex: string | null
  readonly masked?: number
}

/** A capture that somebody opens by accident must not fill the memory: a day of a busy wire is a tenth of it. */
export const CAPTURE_BYTES_MAX = 512 * 1024 * 1024

export function lineOf({ us, dir, bytes, count }: Chunk): CaptureLine {
  return bytes === null ? { t_us: us, dir, hex: null, masked: count } : { t_us: us, dir, hex: printHex(bytes) }
}

/** The head, or a sentence that says why this is none. */
export function parseHead(text: string): CaptureHead | string {
  const found = parseObject(text)
  if (typeof found === 'string') return found
  if (found['capture'] !== 'gatehouse/1') return 'it does not begin with {"capture":"gatehouse/1",…}'
  const { site, bus, wire, framings, at } = found
  const names = Array.isArray(framings) ? framings.filter((name) => typeof name === 'string') : []
  if (typeof bus !== 'string' || typeof wire !== 'string' || typeof at !== 'number') return 'its first line is damaged'
  return { capture: 'gatehouse/1', site: typeof site === 'string' ? site : '', bus, wire, framings: names, at }
}

/** A chunk, or what is wrong with the line. */
export function parseChunk(text: string): Chunk | string {
  const found = parseObject(text)
  if (typeof found === 'string') return found
  const { t_us: us, dir, hex, masked } = found
  if (typeof us !== 'number' || !Number.isFinite(us)) return 't_us is no number'
  if (dir !== 'in' && dir !== 'out') return 'dir is neither in nor out'
  if (hex === null) return { us, dir, bytes: null, count: typeof masked === 'number' ? masked : 0 }
  const bytes = typeof hex === 'string' ? parseHex(hex) : 'hex is no text'
  return typeof bytes === 'string' ? bytes : { us, dir, bytes, count: bytes.length }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | string {
  try {
    const found: unknown = JSON.parse(text)
    return typeof found === 'object' && found !== null ? { ...found } : 'it is no JSON object'
  } catch (error) {
    if (error instanceof SyntaxError) return 'it is no JSON'
    throw error
  }
}
