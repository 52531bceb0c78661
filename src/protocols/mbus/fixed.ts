/** The fixed data structure of old meters (CI 73): two counters, whose units are numbers of the same table as in CJ/T 188. */
import { readBcd, readPairs } from '../../bytes/bcd.ts'
import { shift10 } from '../../bytes/number.ts'
import { meterUnit, NORMAL_UNITS, normalise } from '../meterunits.ts'
import { NO_VALUE } from '../treatment.ts'
import type { Header } from './header.ts'
import type { MbusRecord } from './record.ts'

export const FIXED_BYTES = 16
/** Status bit 0: the counters are binary. */
const BINARY = 0x01
const UNIT = 0x3f
/** The second counter counts what the first does, at an earlier time. */
const SAME_EARLIER = 0x3e
const NONE = 0x3f

/** null: too short. */
export function readFixed(data: Uint8Array): { header: Header; records: readonly MbusRecord[] } | null {
  if (data.length < FIXED_BYTES) return null
  const [first = 0, second = 0] = data.subarray(6, 8)
  const status = data[5] ?? 0
  const header: Header = {
    id: readPairs(data, 0, 4),
    manufacturer: null,
    version: null,
    medium: (first >> 6) | ((second >> 6) << 2),
    access: data[4] ?? 0,
    status,
    signature: 0,
  }
  const units = [first & UNIT, second & UNIT]
  const records = units.flatMap((code, counter): MbusRecord[] => {
    if (code === NONE) return []
    const earlier = counter === 1 && code === SAME_EARLIER
    return [
      readCounter(data, 8 + 4 * counter, { code: earlier ? (units[0] ?? 0) : code, status, storage: earlier ? 1 : 0 }),
    ]
  })
  return { header, records }
}

function readCounter(
  data: Uint8Array,
  from: number,
  { code, status, storage }: { code: number; status: number; storage: number },
): MbusRecord {
  const unit = meterUnit(code)
  const binary = new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(from, true)
  const count = (status & BINARY) !== 0 ? binary : readBcd(data, from, 4)
  return {
    function: 'instantaneous',
    storage,
    tariff: 0,
    subunit: 0,
    quantity: unit?.quantity ?? '',
    vif: '',
    text: null,
    direction: null,
    notes: [],
    shown: count === null ? NO_VALUE : shift10(count, 0),
    unit: unit?.name ?? null,
    value: count === null || unit === undefined ? NO_VALUE : normalise(count, 0, unit),
    normalUnit: unit === undefined ? null : NORMAL_UNITS[unit.quantity],
    dateText: null,
  }
}
