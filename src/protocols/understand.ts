/** What a device says in words or JSON, understood as the type of a point. Shared by published messages and by text lines. */
import type { PointType } from '../model/point.ts'
import type { Raw } from './treatment.ts'

const TRUE_WORDS = new Set(['on', 'true', 'open', 'yes', '1'])
const FALSE_WORDS = new Set(['off', 'false', 'close', 'closed', 'no', '0'])
const INTEGER = /^-?\d+$/

/** A scalar as it came; null: a list, an object, null, or no finite number. */
export function bare(field: unknown): Raw | null {
  if (typeof field === 'number') return Number.isFinite(field) ? field : null
  return typeof field === 'string' || typeof field === 'boolean' ? field : null
}

/** null: the field is there and says nothing that this type can hold. */
export function understand(field: unknown, type: PointType): Raw | null {
  const raw = bare(field)
  if (raw === null) return null
  switch (type) {
    case 'bool':
      return asBoolean(raw)
    case 'f64':
      return asNumber(raw)
    case 'u64':
      return asInteger(raw)
    case 'str':
      return String(raw)
  }
}

function asBoolean(raw: Raw): boolean | null {
  if (typeof raw === 'boolean') return raw
  const word = String(raw).trim().toLowerCase()
  if (TRUE_WORDS.has(word)) return true
  return FALSE_WORDS.has(word) ? false : null
}

function asNumber(raw: Raw): number | null {
  if (typeof raw === 'boolean') return raw ? 1 : 0
  if (typeof raw === 'string' && raw.trim() === '') return null
  const number = Number(raw)
  return Number.isFinite(number) ? number : null
}

function asInteger(raw: Raw): Raw | null {
  const text = String(raw).trim()
  if (!INTEGER.test(text)) return asNumber(raw)
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}
