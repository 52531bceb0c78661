/**
 * Says what a published message is, through the codec that reads it in service: with a driver's points their values, else every
 * field by the place that a driver would write. Who a card belongs to is nobody's business here: what is personal shows as its
 * pseudonym where there is a key, else as ***.
 */
import { printHex } from '../../bytes/hex.ts'
import { causeText } from '../../model/fault.ts'
import { type Point, pointId, type PointType, type Text } from '../../model/point.ts'
import type { Reading } from '../../model/sample.ts'
import { payloadCodec } from '../all.ts'
import { both, type Said, type SaidFrame } from '../explained.ts'
import { isObject, parseDocument } from './document.ts'
import { ECOSYSTEMS, type Leaf, leavesOf, noTopic } from './ecosystem.ts'
import type { PayloadOutcome, Refusal } from './payload.ts'

export type MessageMeans = {
  readonly topic?: string
  /** A driver's; left out: one for every field. */
  readonly points?: readonly Point[]
  readonly pseudonym?: (text: string) => string
}

const HIDDEN = '***'
/** Fields that name a person, whatever the device. */
const PERSONAL = /(^|\.)(card-number|card_?no|card_?number|employee_?no(string)?|pin|password)$/i

const WHY: Readonly<Record<Refusal, Text>> = {
  empty: both(
    'the payload is empty: a kept message was removed, or the device renamed; never a value',
    '负载为空：保留消息被删除或设备改名，不是数值',
  ),
  too_large: both('the payload is larger than 256 KiB and is not read', '负载超过 256 KiB，不予读取'),
  too_deep: both('the document is nested deeper than 32 levels and is not read', '文档嵌套超过 32 层，不予读取'),
  not_utf8: both('the payload is no UTF-8 text', '负载不是 UTF-8 文本'),
  not_json: both('the payload is no JSON document: is it cut short?', '负载不是 JSON 文档：是否被截断？'),
  not_an_object: both('the document is no JSON object', '文档不是 JSON 对象'),
  unknown_state: both('no known word for online or offline, or no known method', '不是已知的在线/离线用词，或方法未知'),
  no_point: both('none of the fields is one that the points name', '没有任何字段对应测点'),
  old_event: both('an event that the broker kept from earlier: it was told once', '代理保留的旧事件：只通知一次'),
  unknown_topic: both('a message on this topic says nothing of the device', '该主题上的消息不说明设备状态'),
  duplicate: both('the same message once more', '同一消息的重复'),
  no_object: both(
    'the network server did not decode the bytes (no `object`): give the device profile a codec there',
    '网络服务器没有解码数据（没有 object）：请在那里为设备配置解码器',
  ),
  other_device: both('the message is of another device', '消息来自另一台设备'),
  wrong_unit: both(
    'temperatures in degrees Fahrenheit where drivers say °C: SetOption8 0 on the device',
    '温度单位为华氏度，驱动使用 °C：请在设备上设置 SetOption8 0',
  ),
}

export function explainPayload(name: string, text: string, means: MessageMeans): Said | Text {
  const codec = payloadCodec(name)
  const ecosystem = Object.hasOwn(ECOSYSTEMS, name) ? ECOSYSTEMS[name] : undefined
  if (codec === null || ecosystem === undefined) throw new RangeError(`no payload codec ${name}`)
  const topic = means.topic ?? (name === 'json' ? 'topic' : null)
  if (topic === null)
    return both(
      `say on which topic it came with --topic: ${ecosystem.forms}`,
      `请用 --topic 指明主题：${ecosystem.forms}`,
    )
  const payload = new TextEncoder().encode(text)
  const document = parseDocument(payload)
  const json = document.kind === 'json' ? document.json : document.kind === 'text' ? document.text.trim() : null
  const base = ecosystem.baseOf(topic, json)
  const refused = (why: Text): Said => ({ frames: [], junk: printHex(payload), why })
  if (base === null) return refused(noTopic(name, topic))
  const { leaves, beyond } = means.points === undefined ? leavesOf(ecosystem.tree(topic, base, json)) : NO_LEAVES
  const points = means.points ?? leaves.map(pointOf)
  const outcome = codec.read(base, { topic, payload, retained: false }, points)
  if (outcome.kind === 'refused') return refused(outcome.why === 'no_object' ? undecoded(json) : WHY[outcome.why])
  const note = beyond === 0 ? null : both(`${beyond} more fields are not shown`, `还有 ${beyond} 个字段未显示`)
  return { frames: [{ ...frameOf(name, topic, base), ...told(outcome, points, means), note }], junk: '', why: null }
}

/** The bytes themselves, for whoever knows the model. */
function undecoded(json: unknown): Text {
  const data = isObject(json) ? json['data'] : undefined
  if (typeof data !== 'string' || !/^[A-Za-z0-9+/]{1,1024}={0,2}$/.test(data) || data.length % 4 !== 0)
    return WHY.no_object
  const hex = Array.from(atob(data), (sign) => printHex(Uint8Array.of(sign.charCodeAt(0)))).join('')
  return both(`${WHY.no_object.en}; its bytes are ${hex}`, `${WHY.no_object.zh}；其字节为 ${hex}`)
}

const NO_LEAVES = { leaves: [], beyond: 0 }

function frameOf(name: string, topic: string, base: string): Omit<SaidFrame, 'fields' | 'readings' | 'note'> {
  const rest = topic.startsWith(`${base}/`) ? topic.slice(base.length + 1) : (topic.split('/').at(-1) ?? topic)
  return { protocol: name, direction: 'message', address: base, function: topic === base ? 'state' : rest, fault: null }
}

function told(
  outcome: Exclude<PayloadOutcome, { kind: 'refused' }>,
  points: readonly Point[],
  means: MessageMeans,
): Pick<SaidFrame, 'fields' | 'readings'> {
  if (outcome.kind === 'availability')
    return {
      fields: outcome.of === 'device' ? { availability: outcome.state } : { bridge: outcome.state },
      readings: [],
    }
  const of = new Map(points.map((point) => [point.index, point]))
  const named = (reading: Reading): string => of.get(reading.point)?.key ?? ''
  const bad = outcome.readings.flatMap((reading) =>
    'fault' in reading ? [[named(reading), causeText(reading.fault)] as const] : [],
  )
  const personal = outcome.readings.flatMap((reading) => (of.get(reading.point)?.personal ? [named(reading)] : []))
  return {
    fields: {
      ...(bad.length > 0 ? { bad: Object.fromEntries(bad) } : {}),
      ...(personal.length > 0 ? { personal } : {}),
    },
    readings: outcome.readings.flatMap((reading) => {
      if ('fault' in reading) return []
      const point = of.get(reading.point)
      const value = point?.personal === true ? hidden(point, String(reading.value), means) : reading.value
      return [{ key: named(reading), value, unit: point?.unit ?? null }]
    }),
  }
}

/** As events show it, so that a card can be found in them; of a field without a driver nobody knows how it is written. */
function hidden(point: Point, text: string, { points, pseudonym }: MessageMeans): string {
  return points === undefined || pseudonym === undefined || !point.personal ? HIDDEN : pseudonym(text)
}

/** ON and OFF are said by switches; other words stay words. */
const SWITCH = /^(?:ON|OFF|on|off|true|false)$/

function typeOf({ path, value }: Leaf): PointType {
  if (typeof value === 'boolean') return 'bool'
  if (typeof value !== 'string') return 'f64'
  // An event's word is one, also where it is "on".
  return SWITCH.test(value) && !/(^|\.)(action|event)$/.test(path) ? 'bool' : isNumber(value) ? 'f64' : 'str'
}

function isNumber(word: string): boolean {
  return /^-?\d{1,15}(\.\d+)?$/.test(word) && !/^-?0\d/.test(word)
}

function pointOf(leaf: Leaf, index: number): Point {
  const { path } = leaf
  const type = typeOf(leaf)
  return {
    index,
    id: pointId('device', path),
    device: 0,
    key: path,
    title: { en: path, zh: path },
    std: null,
    kind: type === 'str' ? 'text' : type === 'bool' ? 'state' : 'gauge',
    type,
    unit: null,
    source: {
      from: 'field',
      place: { protocol: 'payload', path },
      treatment: { scale: 1, offset: 0, invalid: [], map: null, invert: false },
      everyMs: null,
    },
    range: null,
    rateMax: null,
    debounceMs: 0,
    maxAgeMs: null,
    frozenAfterMs: null,
    deadband: 0,
    heartbeatMs: 0,
    personal: PERSONAL.test(path),
    forbidden: false,
    write: null,
  }
}
