/** Settings of the store, with the defaults that the schema gives reasons for. */
import type { StoreSettings } from '../model/site.ts'
import { durationText, parseDuration, parseRate, parseSize, sizeText } from '../driver/units.ts'
import type { Context } from './context.ts'

const DAY_MS = 86_400_000
const KEEP = {
  raw: '7d',
  minutes: '90d',
  hours: '2y',
  alarms: '3y',
  audit: '200d',
  access: '30d',
  acked: '24h',
} as const
const AUDIT_MIN_MS = 180 * DAY_MS
const GIB = 1024 ** 3
/** Smaller, and the reserve for alarms alone would fill it. */
const BUDGET_MIN = 64 * 1024 ** 2
/** What a size can say at most. */
const BUDGET_MAX = 1024 ** 5
/** A message of one long text must still fit. */
const CUT_BYTES_MIN = 4096
const CUT_BYTES_MAX = 256 * 1024

export function resolveStore(context: Context): StoreSettings {
  const { file, document, findings } = context
  const store = file.store ?? {}
  const ms = (text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : (parseDuration(text) ?? otherwise)
  const within = (path: readonly string[], value: number, min: number, max: number, show: (n: number) => string) => {
    if (value >= min && value <= max) return value
    const where = path.join('.')
    findings.error(document.at(path), 'amountRange', { where, min: show(min), max: show(max) })
    return min
  }
  const keep = { ...KEEP, ...store.keep }
  const keepMs = {
    raw: ms(keep.raw, 0),
    minutes: ms(keep.minutes, 0),
    hours: ms(keep.hours, 0),
    alarms: ms(keep.alarms, 0),
    audit: ms(keep.audit, 0),
    access: ms(keep.access, 0),
    acked: ms(keep.acked, 0),
  }
  if (keepMs.audit < AUDIT_MIN_MS)
    findings.warn(document.at(['store', 'keep', 'audit']), 'auditShort', { keep: durationText(keepMs.audit) })
  return {
    commitEveryMs: within(['store', 'commitEvery'], ms(store.commitEvery, 1000), 100, 10_000, durationText),
    wearBytesPerDay: parseRate(store.wear ?? '2GiB/d', 'd') ?? 2 * GIB,
    budgetBytes: within(
      ['store', 'budget'],
      parseSize(store.budget ?? '2GiB') ?? 2 * GIB,
      BUDGET_MIN,
      BUDGET_MAX,
      sizeText,
    ),
    keepMs,
    cut: {
      everyMs: within(['store', 'cut', 'every'], ms(store.cut?.every, 5000), 100, 3_600_000, durationText),
      samples: store.cut?.samples ?? 3600,
      bytes: within(
        ['store', 'cut', 'bytes'],
        parseSize(store.cut?.bytes ?? '48KiB') ?? 48 * 1024,
        CUT_BYTES_MIN,
        CUT_BYTES_MAX,
        sizeText,
      ),
    },
  }
}
