/** Words of the verbs for work on site: explain, trace, scan, probe, prove, ports, init, reload. Part of the one catalogue in text.ts. */
import type { Text } from '../model/point.ts'

export const SITE_TEXT = {
  verbExplain: {
    en: 'why a point is bad or a rule silent, in words',
    zh: '用文字说明某个点为何异常、某条规则为何不动作',
  },
  explainLastGood: { en: 'last good: {value}, {ago} ago ({time})', zh: '上次正常：{value}，{ago}前（{time}）' },
  explainNever: { en: 'last good: never, as far back as is kept', zh: '上次正常：在保留的记录里从未有过' },
  explainVia: { en: 'follows {path}', zh: '来自 {path}' },
  explainFirst: { en: 'Most likely ({percent})', zh: '最可能（{percent}）' },
  explainNext: { en: 'Or ({percent})', zh: '或者（{percent}）' },
  explainRule: { en: 'rule {rule}: {state}', zh: '规则 {rule}：{state}' },
  explainWhen: { en: 'when {when}', zh: '条件 {when}' },
  explainSuppressed: { en: 'silent by design: {why}', zh: '按设计抑制：{why}' },
  linkPort: { en: 'port', zh: '端口' },
  linkBus: { en: 'bus', zh: '总线' },
  linkDevice: { en: 'device', zh: '设备' },
  linkFrame: { en: 'frame', zh: '报文' },
  linkDecode: { en: 'value', zh: '数值' },
  linkRule: { en: 'rules', zh: '规则' },
  markOk: { en: 'ok', zh: '正常' },
  markDoubtful: { en: '?', zh: '可疑' },
  markBad: { en: 'STOP', zh: '中断' },
  markUnreached: { en: '-', zh: '未到' },
  ruleRaised: { en: 'raised', zh: '已触发' },
  ruleNormal: { en: 'normal', zh: '正常' },
  rulePending: { en: 'true, waiting for its delay', zh: '条件成立，等待延时' },
  ruleUnknown: { en: 'unknown: it depends on what is not good', zh: '未知：取决于不正常的输入' },
  ruleSuppressed: { en: 'suppressed', zh: '已抑制' },
} as const satisfies Readonly<Record<string, Text>>
