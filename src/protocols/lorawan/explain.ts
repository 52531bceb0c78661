/**
 * Says what the bytes of a LoRaWAN sensor mean, for whoever sees them undecoded in an uplink: Milesight (fPort 85) by model, as the
 * same channel means another thing in each, and Dragino's door and leak sensor. In service the network server decodes them.
 * Sources: Milesight-IoT/SensorDecoders; dragino/dragino-end-node-decoder.
 */
import { printHex } from '../../bytes/hex.ts'
import type { Text, Value } from '../../model/point.ts'
import { both, type Said, type SaidFrame } from '../explained.ts'

export type SensorMeans = { readonly model?: string }

type Item = {
  readonly name: string
  readonly bytes: number
  readonly unit: string | null
  readonly read: (v: DataView) => Value
}

const temperature: Item = { name: 'temperature', bytes: 2, unit: '°C', read: (v) => v.getInt16(0, true) / 10 }
const humidity: Item = { name: 'humidity', bytes: 1, unit: '%RH', read: (v) => v.getUint8(0) / 2 }
const battery: Item = { name: 'battery', bytes: 1, unit: '%', read: (v) => v.getUint8(0) }
const word = (name: string, words: Readonly<Record<number, string>>): Item => ({
  name,
  bytes: 1,
  unit: null,
  read: (v) => words[v.getUint8(0)] ?? `unknown ${v.getUint8(0)}`,
})
const CLIMATE = { '0175': battery, '0367': temperature, '0468': humidity } as const

/** By channel and type. */
const MILESIGHT: Readonly<Record<string, Readonly<Record<string, Item>>>> = {
  'EM300-TH': CLIMATE,
  'EM300-MCS': { ...CLIMATE, '0600': word('magnet_status', { 0: 'closed', 1: 'open' }) },
  'EM300-ZLD': { ...CLIMATE, '0500': word('leakage_status', { 0: 'normal', 1: 'leak' }) },
  'EM500-SWL': { '0175': battery, '0377': { name: 'depth', bytes: 2, unit: 'cm', read: (v) => v.getUint16(0, true) } },
  WS101: { '0175': battery, ff2e: word('button_event', { 1: 'short press', 2: 'long press', 3: 'double press' }) },
}
/** Values kept in the device, with their own time. */
const HISTORY = '20ce'
const HISTORY_BYTES = 8

const MODELS = Object.keys(MILESIGHT).join(', ')

export function explainMilesight(bytes: Uint8Array, { model }: SensorMeans): Said | Text {
  const table =
    model === undefined ? undefined : Object.entries(MILESIGHT).find(([name]) => name === model.toUpperCase())?.[1]
  if (table === undefined) return both(`say which model with --model: ${MODELS}`, `请用 --model 指明型号：${MODELS}`)
  const readings: { key: string; value: Value; unit: string | null }[] = []
  const history: Record<string, unknown>[] = []
  let at = 0
  while (at < bytes.length) {
    const channel = printHex(bytes.subarray(at, at + 2))
    const rest = bytes.subarray(at + 2)
    const item = Object.hasOwn(table, channel) ? table[channel] : undefined
    if (
      channel === HISTORY &&
      table['0367'] !== undefined &&
      table['0468'] !== undefined &&
      rest.length >= HISTORY_BYTES
    ) {
      history.push(keptOf(rest))
      at += 2 + HISTORY_BYTES
    } else if (item !== undefined && rest.length >= item.bytes) {
      readings.push({ key: item.name, value: item.read(viewOf(rest)), unit: item.unit })
      at += 2 + item.bytes
    } else break
  }
  const junk = printHex(bytes.subarray(at))
  const channel = junk.slice(0, 4)
  const why =
    junk === ''
      ? null
      : both(
          `channel and type ${channel} are not known of this model, or its value is cut short: is it another model?`,
          `该型号没有通道类型 ${channel}，或其数值不完整：是否为其他型号？`,
        )
  if (readings.length === 0 && history.length === 0) return { frames: [], junk, why }
  const fields = { model: model ?? '', ...(history.length === 0 ? {} : { history }) }
  return { frames: [frameOf('milesight', 'fPort 85', fields, readings)], junk, why }
}

/** Unix seconds, then temperature, humidity and a byte that is zero: of then, not of now. */
function keptOf(bytes: Uint8Array): Record<string, unknown> {
  const view = viewOf(bytes)
  return {
    timestamp: view.getUint32(0, true),
    temperature: view.getInt16(4, true) / 10,
    humidity: view.getUint8(6) / 2,
  }
}

const DRAGINO_BYTES = 10
const DOOR = 1
const LEAK = 2

/** LDS02 and LWL02: one layout, the mode byte says which of them speaks. */
export function explainDragino(bytes: Uint8Array): Said | Text {
  const junk = printHex(bytes)
  if (bytes.length !== DRAGINO_BYTES)
    return {
      frames: [],
      junk,
      why: both(
        `LDS02 and LWL02 send 10 bytes, here are ${bytes.length}`,
        `LDS02 和 LWL02 发送 10 字节，这里是 ${bytes.length}`,
      ),
    }
  const view = viewOf(bytes)
  const first = view.getUint16(0)
  const mode = view.getUint8(2)
  if (mode !== DOOR && mode !== LEAK)
    return {
      frames: [],
      junk,
      why: both(`mode ${mode} is neither 1 door nor 2 leak`, `模式 ${mode} 既不是 1 门磁也不是 2 漏水`),
    }
  const times = (view.getUint8(3) << 16) | view.getUint16(4)
  const minutes = (view.getUint8(6) << 16) | view.getUint16(7)
  const state = mode === DOOR ? first >> 15 : (first >> 14) & 1
  const name =
    mode === DOOR
      ? ['DOOR_OPEN_STATUS', 'DOOR_OPEN_TIMES', 'LAST_DOOR_OPEN_DURATION']
      : ['WATER_LEAK_STATUS', 'WATER_LEAK_TIMES', 'LAST_WATER_LEAK_DURATION']
  const values: readonly (readonly [string, number, string | null])[] = [
    ['BAT_V', (first & 0x3fff) / 1000, 'V'],
    ['MOD', mode, null],
    [name[0] ?? '', state, null],
    [name[1] ?? '', times, null],
    [name[2] ?? '', minutes, 'min'],
    ['ALARM', view.getUint8(9) & 1, null],
  ]
  const readings = values.map(([key, value, unit]) => ({ key, value, unit }))
  return { frames: [frameOf('dragino', 'LDS02/LWL02', {}, readings)], junk: '', why: null }
}

function frameOf(
  protocol: string,
  what: string,
  fields: SaidFrame['fields'],
  readings: SaidFrame['readings'],
): SaidFrame {
  return { protocol, direction: 'message', address: '', function: what, fields, readings, fault: null, note: null }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
