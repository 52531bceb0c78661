/**
 * Says what messages are that bring no values to this gateway, but that an engineer meets on a site's broker: announcements for Home
 * Assistant, topics of Sparkplug B, events of Hikvision controllers. Whom they are about is not shown.
 */
import type { Text } from '../../model/point.ts'
import { both, type Said, type SaidFrame } from '../explained.ts'
import { bare } from '../understand.ts'
import { isObject, parseDocument } from './document.ts'

export type TopicMeans = { readonly topic?: string }

type Words = Readonly<Record<string, string>>
type Json = Readonly<Record<string, unknown>>

/** Home Assistant's abbreviations: abbreviations.py, those of entities and those of devices. */
const SHORT: Words = {
  stat_t: 'state_topic',
  val_tpl: 'value_template',
  cmd_t: 'command_topic',
  avty_t: 'availability_topic',
  unit_of_meas: 'unit_of_measurement',
  dev_cla: 'device_class',
  stat_cla: 'state_class',
  uniq_id: 'unique_id',
  pl_on: 'payload_on',
  pl_off: 'payload_off',
  exp_aft: 'expire_after',
  dev: 'device',
}
const SHORT_DEVICE: Words = {
  ids: 'identifiers',
  cns: 'connections',
  mf: 'manufacturer',
  mdl: 'model',
  sw: 'sw_version',
  hw: 'hw_version',
  sn: 'serial_number',
  sa: 'suggested_area',
}
const NAMED: Words = { unit_of_measurement: 'unit', payload_on: 'on', payload_off: 'off' }
const SHOWN = [
  'state_topic',
  'command_topic',
  'availability_topic',
  'unit_of_measurement',
  'device_class',
  'state_class',
  'unique_id',
  'payload_on',
  'payload_off',
  'expire_after',
  'name',
] as const

export function explainDiscovery(text: string, { topic }: TopicMeans): Said | Text {
  if (topic === undefined) return needsTopic('homeassistant/sensor/NAME/config')
  const [, component] = /^[^/]+\/([^/]+)\/(?:[^/]+\/)?[^/]+\/config$/.exec(topic) ?? []
  if (component === undefined)
    return refused(
      both(
        `${topic} is no topic of an announcement: …/COMPONENT/NAME/config`,
        `${topic} 不是发现消息的主题：…/组件/名称/config`,
      ),
    )
  // An empty one takes the announcement back.
  if (text.trim() === '') return one('ha_discovery', topic, component, { component, removed: true })
  const json = objectIn(text)
  if (json === null) return refused(NO_OBJECT)
  const config = long(json, SHORT)
  const base = typeof config['~'] === 'string' ? config['~'] : null
  const device = isObject(config['device']) ? long(config['device'], SHORT_DEVICE) : undefined
  const fields = SHOWN.flatMap((name) => {
    const value = config[name]
    if (value === undefined) return []
    return [
      [
        NAMED[name] ?? name,
        typeof value === 'string' && name.endsWith('topic') ? expanded(value, base) : value,
      ] as const,
    ]
  })
  const template = typeof config['value_template'] === 'string' ? config['value_template'] : null
  const path = template === null ? null : pathIn(template)
  const note =
    template !== null && path === null
      ? both(`its template is more than a path: ${template}`, `其模板不只是路径：${template}`)
      : null
  return one(
    'ha_discovery',
    topic,
    component,
    {
      component,
      ...Object.fromEntries(fields),
      ...(path === null ? {} : { json_path: path }),
      ...(device === undefined ? {} : { device }),
    },
    note,
  )
}

function long(json: Json, words: Words): Json {
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [words[name] ?? name, value]))
}

/** `~` stands for the base at the beginning or end of a topic. */
function expanded(topic: string, base: string | null): string {
  if (base === null) return topic
  if (topic.startsWith('~')) return base + topic.slice(1)
  return topic.endsWith('~') ? topic.slice(0, -1) + base : topic
}

/** `{{ value_json.a.b }}` and `{{ value_json['a'] }}`; null: more than a path. */
function pathIn(template: string): string | null {
  const [, dotted, quoted] =
    /^\{\{ ?value_json(?:((?:\.\w{1,64}){1,8})|\['([^']{1,64})'\]) ?\}\}$/.exec(template.trim()) ?? []
  return quoted ?? dotted?.slice(1) ?? null
}

const NODE_MESSAGES = ['NBIRTH', 'NDEATH', 'NDATA', 'NCMD']
const DEVICE_MESSAGES = ['DBIRTH', 'DDEATH', 'DDATA', 'DCMD']

/** Topics only: the payload is protobuf, which nothing here reads. */
export function explainSparkplug(_text: string, { topic }: TopicMeans): Said | Text {
  if (topic === undefined) return needsTopic('spBv1.0/GROUP/DDATA/NODE/DEVICE')
  const [space, group = '', type = '', node, device, ...more] = topic.split('/')
  if (space === 'spBv1.0' && group === 'STATE' && type !== '' && node === undefined)
    return one('sparkplug', topic, 'STATE', { type: 'STATE', host: type })
  const isNode = NODE_MESSAGES.includes(type) && device === undefined
  const isDevice = DEVICE_MESSAGES.includes(type) && device !== undefined && device !== ''
  if (
    space !== 'spBv1.0' ||
    group === '' ||
    node === undefined ||
    node === '' ||
    more.length > 0 ||
    !(isNode || isDevice)
  )
    return refused(
      both(
        `${topic} is no topic of Sparkplug B: node messages have no device behind the node, device messages have one`,
        `${topic} 不是 Sparkplug B 主题：节点消息后面没有设备，设备消息必须有设备`,
      ),
    )
  const note = both('the payload is protobuf and is not read here', '负载为 protobuf，这里不解析')
  return one('sparkplug', topic, type, { type, group, node, device: device ?? null }, note)
}

const HIKVISION: Readonly<Record<string, readonly [kind: string, meaning: Text, granted: boolean | null]>> = {
  '5 1': ['verify', both('card verified', '刷卡通过'), true],
  '5 38': ['verify', both('fingerprint verified', '指纹通过'), true],
  '5 75': ['verify', both('face verified', '人脸通过'), true],
  '5 21': ['door', both('lock opened', '开锁'), null],
  '5 22': ['door', both('locked', '上锁'), null],
}
const PERSONAL = ['employeeNoString', 'name', 'cardNo'] as const

/** ISAPI events of access controllers. `granted` null: the event does not say. */
export function explainHikvision(text: string): Said | Text {
  const json = objectIn(text)
  if (json === null) return refused(NO_OBJECT)
  const event = json['AccessControllerEvent']
  if (json['eventType'] === 'heartBeat') return one('hikvision', '', 'heartBeat', {})
  if (!isObject(event))
    return refused(both('there is no AccessControllerEvent in it', '其中没有 AccessControllerEvent'))
  const [major, minor] = [bare(event['majorEventType']), bare(event['subEventType'])]
  const [kind, meaning, granted] = HIKVISION[`${String(major)} ${String(minor)}`] ?? [
    'unknown',
    both('unknown', '未知'),
    null,
  ]
  return one('hikvision', String(bare(event['deviceName']) ?? ''), 'AccessControllerEvent', {
    kind,
    major,
    minor,
    meaning,
    ...(granted === null ? {} : { granted }),
    serialNo: bare(event['serialNo']),
    personal: [...PERSONAL],
    shown: PERSONAL.flatMap((name) => (event[name] === undefined ? [] : [`${name} ***`])),
  })
}

const NO_OBJECT = both('the payload is no JSON object: is it cut short?', '负载不是 JSON 对象：是否被截断？')

function objectIn(text: string): Json | null {
  const document = parseDocument(new TextEncoder().encode(text))
  return document.kind === 'json' && isObject(document.json) ? document.json : null
}

function needsTopic(form: string): Text {
  return both(`say on which topic it came with --topic: ${form}`, `请用 --topic 指明主题：${form}`)
}

function refused(why: Text): Said {
  return { frames: [], junk: '', why }
}

function one(
  protocol: string,
  address: string,
  what: string,
  fields: SaidFrame['fields'],
  note: Text | null = null,
): Said {
  const frame: SaidFrame = {
    protocol,
    direction: 'message',
    address,
    function: what,
    fields,
    readings: [],
    fault: null,
    note,
  }
  return { frames: [frame], junk: '', why: null }
}
