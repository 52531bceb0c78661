/** Words of buses, devices and ports: how they do, who else is on the wire, which name to use. Part of the one catalogue in text.ts. */
import type { Text } from '../model/point.ts'

export const FIELD_TEXT = {
  failing: { en: '{share} of attempts fail', zh: '{share} 的询问失败' },
  answersInstead: { en: 'address {other} answers in its place', zh: '地址 {other} 在代它应答' },
  slower: { en: 'answers in {span}, usually {usual}', zh: '应答 {span}，平时 {usual}' },
  healthIs: {
    en: '{share} of attempts fail; answers in {span}, usually {usual}',
    zh: '{share} 的询问失败；应答 {span}，平时 {usual}',
  },
  answersAs: { en: 'answers as {other}, expected {address}', zh: '应答地址为 {other}，应为 {address}' },
  answersAsAdvice: {
    en: 'Nothing of it is stored. Compare the address on the label; were two adapters or cables exchanged?',
    zh: '其数据未存储。核对铭牌地址；两个转换器或线缆是否接反？',
  },
  misaddressed: {
    en: '{n} answers under a foreign address were held back',
    zh: '{n} 个地址不符的应答已被拦下',
  },
  busHealth: {
    en: 'bus {bus}: {share} of attempts fail, answers in {span}, usually {usual}; devices degraded {degraded}, offline {offline}',
    zh: '总线 {bus}：{share} 的询问失败，应答 {span}，平时 {usual}；设备不稳定 {degraded}，离线 {offline}',
  },
  busMaster: {
    en: 'bus {bus}: another master polls {unit}{every} ({protocol}{what}, {n} times)',
    zh: '总线 {bus}：另有主站轮询{unit}{every}（{protocol}{what}，{n} 次）',
  },
  busMasterWas: {
    en: 'bus {bus}: another master polled {unit}{every} ({protocol}{what}, {n} times), last {ago} ago',
    zh: '总线 {bus}：曾有另一主站轮询{unit}{every}（{protocol}{what}，{n} 次），最近在 {ago}前',
  },
  busStranger: {
    en: 'bus {bus}: {unit} answers what nobody here asked{every} ({protocol}{what}, {n} times)',
    zh: '总线 {bus}：{unit}应答了非本机的询问{every}（{protocol}{what}，{n} 次）',
  },
  busStrangersMore: { en: 'bus {bus}: {n} more speakers, see --json', zh: '总线 {bus}：还有 {n} 个来源，见 --json' },
  everySpan: { en: ' every {span}', zh: '，每 {span}一次' },
  unitIs: { en: 'unit {n}', zh: '从站 {n}' },
  addressIs: { en: 'address {n}', zh: '地址 {n}' },
  unitUnknown: { en: 'somebody', zh: '某设备' },
  busMasterAdvice: {
    en: 'Two masters on one pair disturb each other: find it and take it off, or listen behind it.',
    zh: '一条线上两个主站会互相干扰：找到并拆除它，或改接在它之后。',
  },
  busCollisions: {
    en: 'bus {bus}: {n} answers given up because the other master asked meanwhile',
    zh: '总线 {bus}：因另一主站同时询问，放弃了 {n} 个应答',
  },
  busYields: {
    en: 'bus {bus}: {n} writes waited until the other master had finished',
    zh: '总线 {bus}：{n} 次写入等另一主站通信结束后才发出',
  },
  busText: {
    en: 'bus {bus}: the serial server sends a text of its own, "{text}" ({n} times); it is skipped, and better switched off there',
    zh: '总线 {bus}：串口服务器自行发送文本“{text}”（{n} 次），已跳过；建议在其中关闭',
  },
  busFull: {
    en: 'bus {bus} has no time left: gatehouse check says which polls to slow down',
    zh: '总线 {bus} 已无余量：gatehouse check 指出应放慢哪些轮询',
  },
  busLineChanges: {
    en: 'bus {bus}: line setting changed {n} times, {span} each',
    zh: '总线 {bus}：切换线路参数 {n} 次，每次 {span}',
  },

  checkSlower: {
    en: '  {device}: every {every} wanted, every {predicted} predicted',
    zh: '  {device}：要求每 {every}一次，预计每 {predicted}一次',
  },
  checkSlowerMore: { en: '  and {n} more, see --json', zh: '  还有 {n} 台，见 --json' },

  verbPorts: { en: 'serial ports: stable path to use, chip, who holds it', zh: '串口：应使用的固定路径、芯片、占用者' },
  colPort: { en: 'PORT', zh: '端口' },
  colPath: { en: 'USE THIS NAME', zh: '应使用的名称' },
  colChip: { en: 'CHIP', zh: '芯片' },
  colHolder: { en: 'HELD BY', zh: '占用者' },
  nonePorts: { en: 'This host has no serial ports.', zh: '本机没有串口。' },
  nonePortsHint: {
    en: 'Is the adapter plugged in? dmesg says what the system sees.',
    zh: '转换器是否插好？用 dmesg 查看系统识别情况。',
  },
  portFree: { en: 'free', zh: '空闲' },
  portUnknown: { en: '? (not root)', zh: '未知（需 root）' },
  portsUnstable: {
    en: '{port} has no name that stays: it may be another adapter after the next start',
    zh: '{port} 没有固定名称：下次启动后可能是另一个转换器',
  },
  portsByAdapter: {
    en: '{port}: the name stays with the adapter, not with the socket it is plugged into',
    zh: '{port}：名称跟随转换器本身，而不是所插的插口',
  },
} as const satisfies Readonly<Record<string, Text>>
