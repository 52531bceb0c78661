/**
 * Durations `500ms 5s 10m 24h 30d 2y`, sizes `64KiB 2GiB`, rates `32KiB/s 2GiB/d`, line settings `9600 8N1`.
 * Each parser gives null for what it does not understand: the caller knows the place to complain about.
 */
import type { Line } from '../model/site.ts'

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  /** For retention only, so the length of one particular year does not matter. */
  y: 365 * 86_400_000,
}
const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
}
/** Beyond these it was a slip of the finger, and sums of them would no longer be exact. */
const DURATION_MAX = 1000 * 365 * 86_400_000
const SIZE_MAX = 1024 ** 5
const RATE_MAX: Readonly<Record<string, number>> = { s: 64 * 1024 ** 3, d: 64 * 1024 ** 3 * 86_400 }

const SECONDS: Readonly<Record<string, number>> = { s: 1, d: 86_400 }

export const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|y)$/
export const SIZE = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|TiB)$/
export const RATE = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|TiB)\/(s|d)$/
export const LINE = /^([1-9]\d{2,6}) ([78])([NEO])([12])$/

/** Whole milliseconds. */
export function parseDuration(text: string): number | null {
  const [, number, unit] = DURATION.exec(text) ?? []
  return scaled(number, DURATION_UNITS[unit ?? ''], DURATION_MAX)
}

/** Whole bytes. */
export function parseSize(text: string): number | null {
  const [, number, unit] = SIZE.exec(text) ?? []
  return scaled(number, SIZE_UNITS[unit ?? ''], SIZE_MAX)
}

/** Bytes per `per`: `parseRate('2GiB/d', 's')` is what that makes in a second. */
export function parseRate(text: string, per: 's' | 'd'): number | null {
  const [, number, unit, over] = RATE.exec(text) ?? []
  const bytes = scaled(number, SIZE_UNITS[unit ?? ''], RATE_MAX[over ?? ''] ?? 0)
  const from = SECONDS[over ?? '']
  const to = SECONDS[per]
  if (bytes === null || from === undefined || to === undefined) return null
  return Math.round((bytes / from) * to)
}

export function parseLine(text: string): Line | null {
  const [, baud, data, parity, stop] = LINE.exec(text) ?? []
  if (baud === undefined || !isParity(parity)) return null
  return { baud: Number(baud), dataBits: data === '7' ? 7 : 8, parity, stopBits: stop === '2' ? 2 : 1 }
}

export function lineText(line: Line): string {
  return `${line.baud} ${line.dataBits}${line.parity}${line.stopBits}`
}

/** The shortest exact form: 90000 is `90s`, 86400000 is `1d`. */
export function durationText(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const length = DURATION_UNITS[unit] ?? 1
    if (ms >= length && ms % length === 0) return `${ms / length}${unit}`
  }
  return `${ms}ms`
}

export function sizeText(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const length = SIZE_UNITS[unit] ?? 1
    if (bytes >= length) return `${Number((bytes / length).toFixed(1))}${unit}`
  }
  return `${bytes}B`
}

function isParity(text: string | undefined): text is Line['parity'] {
  return text === 'N' || text === 'E' || text === 'O'
}

function scaled(number: string | undefined, unit: number | undefined, max: number): number | null {
  if (number === undefined || unit === undefined) return null
  const value = Math.round(Number(number) * unit)
  return value <= max ? value : null
}
