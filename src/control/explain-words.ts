/**
 * The one catalogue of `explain`, in both languages: what can be wrong, where on the way from the port to the value, what speaks for
 * it, and what to do about it on site. What stands in {braces} is filled in.
 */
import type { Text } from '../model/point.ts'
import { DEVICE_CAUSES } from './explain-words-device.ts'
import { LINE_CAUSES } from './explain-words-line.ts'

/** On the way of a value, in order. */
export const LINKS = ['port', 'bus', 'device', 'frame', 'decode', 'rule'] as const
export type Link = (typeof LINKS)[number]

export type CauseWords = { readonly link: Link; readonly text: Text; readonly check: readonly Text[] }

export const CAUSES = { ...LINE_CAUSES, ...DEVICE_CAUSES } as const satisfies Readonly<Record<string, CauseWords>>

export type CauseKey = keyof typeof CAUSES

/** What speaks for a cause. */
export const SIGNS = {
  othersAnswer: { en: '{n} of {total} other devices on the wire answer', zh: '总线上其他设备 {n}/{total} 有应答' },
  nobodyAnswers: { en: 'none of the {total} devices on the wire answers', zh: '总线上 {total} 台设备均无应答' },
  neverAnswered: { en: 'it has not answered once since the start', zh: '启动以来从未应答' },
  answeredBefore: { en: 'it answered {n} times before', zh: '此前已应答 {n} 次' },
  lastGood: { en: 'last good {ago} ago', zh: '{ago}前还正常' },
  noBytes: { en: 'asked just now: not one byte came back', zh: '刚才询问：没有收到任何字节' },
  garbage: {
    en: 'asked just now: {n} bytes came, {total} expected, none of them a frame',
    zh: '刚才询问：收到 {n} 字节（应为 {total}），均不成帧',
  },
  junk: { en: '{n} bytes on this wire belonged to no frame', zh: '总线上有 {n} 字节不属于任何帧' },
  crcOfTotal: { en: '{n} of {total} answers were garbled', zh: '{total} 次应答中 {n} 次出错' },
  othersClean: { en: 'the others on the wire are clean', zh: '总线上其他设备没有错误' },
  othersGarbled: { en: '{n} other devices are garbled, too', zh: '另有 {n} 台设备也出错' },
  answersLate: { en: '{n} answers came after they were given up', zh: '{n} 次应答在放弃等待后才到' },
  tookSo: { en: 'slowest answer {slow}', zh: '最慢应答 {slow}' },
  foreign: { en: '{n} frames answered nothing that we asked', zh: '{n} 帧不是对我们询问的应答' },
  echoed: { en: 'what came back began with our own bytes', zh: '收到的内容以我们发送的字节开头' },
  siblingsGood: { en: '{n} of {total} other points of the device are good', zh: '该设备其他点 {n}/{total} 正常' },
  siblingsSame: { en: 'all points of the device say so', zh: '该设备的所有点都如此' },
  system: { en: 'the system says: {why}', zh: '系统提示：{why}' },
  opened: { en: 'it was opened {n} times', zh: '已打开 {n} 次' },
  clients: { en: '{n} clients are connected to the local broker', zh: '本地代理有 {n} 个客户端' },
} as const satisfies Readonly<Record<string, Text>>

export type SignKey = keyof typeof SIGNS

/** One line for each link of the chain. */
export const CHAIN = {
  portOpen: { en: '{wire} is open', zh: '{wire} 已打开' },
  portShut: { en: '{wire} is not open', zh: '{wire} 未打开' },
  portNone: { en: 'no wire', zh: '无线路' },
  busWell: { en: '{n} of {total} devices of {bus} answer', zh: '{bus} 上 {n}/{total} 台设备有应答' },
  broker: { en: 'local broker, {n} clients', zh: '本地代理，{n} 个客户端' },
  device: { en: '{device}, address {address}: {state}', zh: '{device}，地址 {address}：{state}' },
  deviceTook: {
    en: '{device}, address {address}: {state}, answers in {ms}',
    zh: '{device}，地址 {address}：{state}，应答 {ms}',
  },
  topic: { en: '{topic}: {state}', zh: '{topic}：{state}' },
  composed: { en: 'follows {source}', zh: '来自 {source}' },
  derived: { en: 'computed from {source}', zh: '由 {source} 计算' },
  unconnected: { en: 'nothing is connected', zh: '未接任何点' },
  frame: { en: '{place}: answered', zh: '{place}：已应答' },
  frameBytes: { en: '{place}: asked {sent}, came {received}', zh: '{place}：发 {sent}，收 {received}' },
  frameNone: { en: '{place}: asked {sent}, nothing came', zh: '{place}：发 {sent}，无应答' },
  decode: { en: '{value}', zh: '{value}' },
  decodeNone: { en: 'no value', zh: '无数值' },
  rules: { en: 'rules on it: {rules}', zh: '相关规则：{rules}' },
  rulesNone: { en: 'no rule looks at it', zh: '没有规则使用它' },
  unreached: { en: 'not reached', zh: '未到达' },
} as const satisfies Readonly<Record<string, Text>>

export type ChainKey = keyof typeof CHAIN

export type Values = Readonly<Record<string, string | number | Text>>

/** Both languages, {names} filled in. A text that differs by language fills in its own. */
export function fill(text: Text, values: Values): Text {
  const one = (language: 'en' | 'zh'): string =>
    text[language].replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name]
      if (value === undefined) return whole
      return typeof value === 'object' ? value[language] : String(value)
    })
  return { en: one('en'), zh: one('zh') }
}
