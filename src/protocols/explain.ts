/** `gatehouse decode`: what these bytes, this message, this line or this card's number is, or why it is none. */
import { parseHex } from '../bytes/hex.ts'
import type { Text } from '../model/point.ts'
import type { Language } from '../model/site.ts'
import { PAYLOAD_NAMES } from './all.ts'
import { explainCjt188 } from './cjt188/index.ts'
import { explainDlt645 } from './dlt645/index.ts'
import { both, type Explained, inLanguage, type Said, wrapIn } from './explained.ts'
import { explainMbus } from './mbus/index.ts'
import { explainModbus, linesOf } from './modbus/index.ts'
import { explainCic, explainLiftCode } from './lift/explain.ts'
import { explainDragino, explainMilesight, type SensorMeans } from './lorawan/explain.ts'
import { explainOsdp } from './osdp/explain.ts'
import { explainDiscovery, explainHikvision, explainSparkplug } from './payload/announced.ts'
import { explainPayload, type MessageMeans } from './payload/explain.ts'
import { explainLines, type LineMeans } from './textline/explain.ts'
import { type CardMeans, explainUid, explainWiegand } from './wiegand/explain.ts'

type Bytes = (bytes: Uint8Array, request: Uint8Array | null, means: Means) => Said | Text

const FRAMES: Readonly<Record<string, Bytes>> = {
  modbus: (bytes, request) => explainModbus(null, bytes, request),
  'modbus-rtu': (bytes, request) => explainModbus('rtu', bytes, request),
  'modbus-tcp': (bytes, request) => explainModbus('tcp', bytes, request),
  'modbus-ascii': (bytes, request) => explainModbus('ascii', bytes, request),
  dlt645: (bytes, request) => explainDlt645('2007', bytes, request),
  'dlt645-1997': (bytes, request) => explainDlt645('1997', bytes, request),
  cjt188: explainCjt188,
  mbus: explainMbus,
  osdp: explainOsdp,
  cic: explainCic,
  milesight: (bytes, _request, means) => explainMilesight(bytes, means),
  dragino: explainDragino,
}

/** What a caller knows besides the data: a topic, a driver's points, what is printed on the card. */
export type Means = MessageMeans & LineMeans & CardMeans & SensorMeans & { readonly language?: Language }

type Words = (data: string, means: Means) => Said | Text

const WORDS: Readonly<Record<string, Words>> = {
  ...Object.fromEntries(
    PAYLOAD_NAMES.map((name): [string, Words] => [name, (data, means) => explainPayload(name, data, means)]),
  ),
  ha_discovery: explainDiscovery,
  sparkplug: explainSparkplug,
  hikvision: explainHikvision,
  gb24476: explainLiftCode,
  textline: explainLines,
  wiegand: (data, means) => explainWiegand(null, data, means),
  wiegand26: (data, means) => explainWiegand(26, data, means),
  wiegand34: (data, means) => explainWiegand(34, data, means),
  uid: explainUid,
}

/** Names that `explain` takes: those of frames, then those of messages, lines and cards. */
export const EXPLAINED: readonly string[] = [...Object.keys(FRAMES), ...Object.keys(WORDS)]

/** What may be said besides the data. */
type Besides = 'request' | 'topic' | 'driver' | 'expect' | 'model'

const UNASKED: Readonly<Record<string, readonly Besides[]>> = {
  osdp: [],
  cic: [],
  dragino: [],
  milesight: ['model'],
  textline: ['driver'],
  ha_discovery: ['topic'],
  sparkplug: ['topic'],
  hikvision: [],
  gb24476: [],
  wiegand: ['expect'],
  wiegand26: ['expect'],
  wiegand34: ['expect'],
  uid: ['expect'],
}

/** What helps with this protocol, besides the data. */
export function takes(protocol: string): readonly Besides[] {
  if (Object.hasOwn(UNASKED, protocol)) return UNASKED[protocol] ?? []
  return Object.hasOwn(FRAMES, protocol) ? ['request'] : ['topic', 'driver']
}

/** As people write names: `shelly-gen2`, `modbus_tcp`, `chirpstack`; null: none of ours. */
export function explainedName(written: string): string | null {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, '')
  const wanted = plain(written)
  return (
    EXPLAINED.find((name) => plain(name) === wanted) ??
    // Without its version, where only one has such a beginning.
    (wanted.length >= 4 && EXPLAINED.filter((name) => plain(name).startsWith(wanted)).length === 1
      ? EXPLAINED.find((name) => plain(name).startsWith(wanted))
      : undefined) ??
    null
  )
}

/** A sentence when the question itself is wrong: unknown protocol, no hex, no topic. */
export function explain(
  protocol: string,
  data: string,
  requestHex: string | null = null,
  means: Means = {},
): Explained | string {
  const { language = 'en' } = means
  const said = say(explainedName(protocol) ?? protocol, data, requestHex, means)
  return 'en' in said ? said[language] : inLanguage(said, language)
}

function say(protocol: string, data: string, requestHex: string | null, means: Means): Said | Text {
  if (requestHex !== null && !takes(protocol).includes('request') && EXPLAINED.includes(protocol))
    return both(
      `nothing asks for what ${protocol} says: leave --request out`,
      `${protocol} 不由请求引发：请去掉 --request`,
    )
  const frames = Object.hasOwn(FRAMES, protocol) ? FRAMES[protocol] : undefined
  if (frames !== undefined) return sayFrames(protocol, frames, { hex: data, requestHex, means })
  const words = Object.hasOwn(WORDS, protocol) ? WORDS[protocol] : undefined
  if (words === undefined) {
    const known = EXPLAINED.join(', ')
    return both(
      `"${protocol}" is not a protocol that can be decoded: ${known}`,
      `"${protocol}" 不是可以解码的协议，可用的有：${known}`,
    )
  }
  return words(data, means)
}

type Given = { readonly hex: string; readonly requestHex: string | null; readonly means: Means }

function sayFrames(protocol: string, frames: Bytes, { hex, requestHex, means }: Given): Said | Text {
  const bytes = bytesOf(protocol, hex)
  if ('en' in bytes) return bytes
  if (bytes.length === 0) return both('there are no bytes', '没有字节')
  const request = requestHex === null ? null : bytesOf(protocol, requestHex)
  if (request === null) return frames(bytes, null, means)
  if ('en' in request) return wrapIn('--request: ', '--request：', request)
  if (request.length === 0) return both('--request: there are no bytes', '--request：没有字节')
  return frames(bytes, request, means)
}

/** Modbus ASCII may be given as it is printed. */
function bytesOf(protocol: string, text: string): Uint8Array | Text {
  const lines = protocol.startsWith('modbus') ? linesOf(text) : null
  if (lines !== null) return lines
  const bytes = parseHex(text)
  return typeof bytes === 'string' ? both(bytes, `不是十六进制（${bytes}）`) : bytes
}
