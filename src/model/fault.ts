import type { Text } from './point.ts'

/** Expected failures of the field. A fault is a value: it explains why a point has no value. */
export type Fault =
  | { kind: 'timeout' }
  | { kind: 'crc' }
  | { kind: 'exception'; code: number }
  | { kind: 'closed' }
  | { kind: 'refused' }
  | { kind: 'sentinel' }
  | { kind: 'out_of_range' }
  | { kind: 'device_fault' }
  | { kind: 'not_read' }
  | { kind: 'not_configured' }

/** Why a value is kept but not trusted. */
export type Doubt = 'stale' | 'frozen' | 'rate' | 'substituted' | 'first_after_timeout'

/** The words that travel (uplink contract, section 5) and that `points --json` prints. */
export function causeText(cause: Fault | Doubt): string {
  if (typeof cause === 'string') return cause
  return cause.kind === 'exception' ? `exception:${cause.code}` : cause.kind
}

/** The same for people. An error code is the device's own: what it means is its protocol's to say. */
const WORDS: Readonly<Record<Fault['kind'] | Doubt, Text>> = {
  timeout: { en: 'no answer', zh: '无应答' },
  crc: { en: 'garbled answer', zh: '应答出错' },
  exception: { en: 'the device refuses', zh: '设备拒绝' },
  closed: { en: 'wire or connection gone', zh: '线路或连接断开' },
  refused: { en: 'connection refused', zh: '连接被拒绝' },
  sentinel: { en: 'the device has no value', zh: '设备没有该值' },
  out_of_range: { en: 'outside its range', zh: '超出范围' },
  device_fault: { en: 'the device calls it invalid', zh: '设备报告该值无效' },
  not_read: { en: 'not read yet', zh: '尚未读取' },
  not_configured: { en: 'not configured', zh: '未配置' },
  stale: { en: 'too old', zh: '过时' },
  frozen: { en: 'does not move', zh: '长时间不变' },
  rate: { en: 'changed too fast', zh: '变化过快' },
  substituted: { en: 'set by hand', zh: '人工置数' },
  first_after_timeout: { en: 'unconfirmed', zh: '未确认' },
}

export function causeWords(cause: Fault | Doubt): Text {
  if (typeof cause === 'string') return WORDS[cause]
  const { en, zh } = WORDS[cause.kind]
  return cause.kind === 'exception' ? { en: `${en}: ${cause.code}`, zh: `${zh}：${cause.code}` } : { en, zh }
}

/** Two faults that would print alike are one statement; repeating it is no news. */
export function sameFault(a: Fault, b: Fault): boolean {
  return a.kind === b.kind && (a.kind !== 'exception' || (b.kind === 'exception' && a.code === b.code))
}
