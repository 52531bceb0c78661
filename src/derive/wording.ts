/** What may be wrong with an expression, in both languages, in words for people who never heard of the library's types. */
import type { ParseError, TypeError } from '@marcbachmann/cel-js'
import type { Text } from '../model/point.ts'
import { createFlaw, type Flaw } from './flaw.ts'

/** How the library's type names read to an electrician. */
const SPOKEN: Readonly<Record<string, Text>> = {
  double: { en: 'a number', zh: '数字' },
  bool: { en: 'true/false', zh: '布尔值' },
  string: { en: 'text', zh: '文本' },
  null: { en: 'null', zh: 'null' },
  'list<double>': { en: 'a list of numbers', zh: '数字列表' },
  'list<string>': { en: 'a list of texts', zh: '文本列表' },
  'list<bool>': { en: 'a list of true/false', zh: '布尔值列表' },
}

const OPERATORS = '&& || ! == != < <= > >= + - * / % ?: in [..]'
const SUPPORTED: Text = {
  en: `an expression takes numbers, texts, true, false, points, params, ${OPERATORS}, bad(point), stale(point) and .contains .startsWith .endsWith of a text`,
  zh: `表达式可用数字、文本、true、false、点、params、${OPERATORS}、bad(点)、stale(点)，以及文本的 .contains .startsWith .endsWith`,
}

/** One for each thing that can be wrong; `near` is what was probably meant, `known` what there is. */
export const FLAWS = {
  empty: () => ({ en: 'the expression is empty', zh: '表达式为空' }),
  tooLong: (max: number) => ({ en: `longer than ${max} characters: split it`, zh: `超过 ${max} 个字符：请拆分` }),
  noValue: (type: string) => ({
    en: `comes to ${speak(type).en}: it must be a number, true/false or text`,
    zh: `结果为${speak(type).zh}：应为数字、布尔值或文本`,
  }),
  notTruth: (type: 'number' | 'text') => ({
    en: `comes to ${type === 'number' ? 'a number' : 'a text'}, not to true or false: compare it with something, as value > 0`,
    zh: `结果为${type === 'number' ? '数字' : '文本'}，而不是 true 或 false：请与某个值比较，如 value > 0`,
  }),
  noPoints: () => ({ en: 'names no point: it would never change', zh: '没有引用任何点：结果永远不变' }),
  noPlaceFor: (op: string) => ({
    en: `${construct(op).en} cannot stand here: ${SUPPORTED.en}`,
    zh: `此处不能用${construct(op).zh}：${SUPPORTED.zh}`,
  }),
  tooLarge: (whole: bigint) => ({
    en: `${whole} is too large to be compared exactly`,
    zh: `${whole} 过大，无法精确比较`,
  }),
  paramsBare: (known: readonly string[]) => ({
    en: `params is not a value: write params.NAME${oneOf(known).en}`,
    zh: `params 本身不是值：请写 params.名称${oneOf(known).zh}`,
  }),
  word: (name: string) => ({
    en: `${name} is a word of CEL and cannot be a name here`,
    zh: `${name} 是 CEL 的保留字，此处不能用作名称`,
  }),
  deviceBare: (name: string, first: string | null) => ({
    en: `${name} is a device, not a value${first === null ? '' : `: name one of its points, as ${name}.${first}`}`,
    zh: `${name} 是设备而不是值${first === null ? '' : `：请写出它的点，如 ${name}.${first}`}`,
  }),
  noDevice: (name: string, near: string | null, isPoint = false) => ({
    en: `no device is called ${name}${near === null ? (isPoint ? `; ${name} is a point` : '') : meant(near).en}`,
    zh: `没有名为 ${name} 的设备${near === null ? (isPoint ? `；${name} 是点` : '') : meant(near).zh}`,
  }),
  noDeviceBare: (name: string, near: string | null) => ({
    en: `no device is called ${name}${near === null ? '; points are written DEVICE.POINT' : meant(near).en}`,
    zh: `没有名为 ${name} 的设备${near === null ? '；点应写作 设备.点' : meant(near).zh}`,
  }),
  noPoint: (device: string, key: string, near: string | null, known: readonly string[] = []) => ({
    en: `${device} has no point ${key}${near === null ? oneOf(known).en : meant(near).en}`,
    zh: `${device} 没有点 ${key}${near === null ? oneOf(known).zh : meant(near).zh}`,
  }),
  noOwner: (key: string) => ({ en: `.${key} does not belong to a device`, zh: `.${key} 前面不是设备` }),
  noParam: (key: string, near: string | null, known: readonly string[]) => ({
    en: `there is no parameter ${key}${near === null ? oneOf(known).en : meant(near).en}`,
    zh: `没有参数 ${key}${near === null ? oneOf(known).zh : meant(near).zh}`,
  }),
  inWhat: () => ({
    en: 'after `in` a list must stand, as ["open", "closing"]',
    zh: 'in 之后应为列表，如 ["open", "closing"]',
  }),
  listEmpty: () => ({ en: 'the list is empty: this is never true', zh: '列表为空：永远不成立' }),
  noFunction: (name: string, near: string | null) => ({
    en: `${name}() cannot stand here${near === null ? `: ${SUPPORTED.en}` : meant(near).en}`,
    zh: `此处不能用 ${name}()${near === null ? `：${SUPPORTED.zh}` : meant(near).zh}`,
  }),
  noMethod: (name: string) => ({
    en: `.${name}() cannot stand here so: ${SUPPORTED.en}`,
    zh: `此处不能这样用 .${name}()：${SUPPORTED.zh}`,
  }),
  qualityOf: (name: string) => ({
    en: `${name}() asks one point for its quality, as ${name}(pump_1.pressure)`,
    zh: `${name}() 只询问一个点的质量，如 ${name}(pump_1.pressure)`,
  }),
  noLabel: (label: string, near: string | null, known: readonly string[]) => ({
    en: `this point is never "${label}"${near === null ? oneOf(known).en : meant(`"${near}"`).en}`,
    zh: `该点不会取值 "${label}"${near === null ? oneOf(known).zh : meant(`"${near}"`).zh}`,
  }),
} as const satisfies Record<string, (...args: never[]) => Text>

/** The library's complaint in our words; where it has nothing better, its own sentence. */
export function foreignFlaw(source: string, error: ParseError | TypeError | undefined): Flaw {
  if (error === undefined) {
    const message = { en: 'the expression does not fit its types', zh: '表达式中的类型不匹配' }
    return createFlaw(source, message, 0, source.length)
  }
  const { start, end } = error.range ?? { start: 0, end: source.length }
  return createFlaw(source, reword(error.code, error.summary, source.slice(start, end)), start, end)
}

function reword(code: string, summary: string, at: string): Text {
  const own = { en: summary, zh: `表达式有误（${summary}）` }
  switch (code) {
    case 'no_such_overload': {
      const operands = speak(/^no such overload: (.*)$/.exec(summary)?.[1] ?? summary)
      return { en: `cannot work out ${operands.en}: the types do not fit`, zh: `无法计算 ${operands.zh}：类型不匹配` }
    }
    case 'invalid_logical_operand':
      return {
        en: '&& and || join true/false: compare the value with something, as value > 0',
        zh: '&& 和 || 只能连接布尔值：请先与某个值比较，如 value > 0',
      }
    case 'invalid_condition_type':
      return { en: 'before ? there must be true/false', zh: '? 之前应为布尔值' }
    case 'incompatible_ternary_branches':
      return { en: 'both values of ?: must be of one type', zh: '?: 的两个值类型应相同' }
    case 'heterogeneous_list_element':
      return { en: 'all values of a list must be of one type', zh: '列表中各值的类型应相同' }
    case 'reserved_identifier':
      return { en: `${at} is a word of CEL and cannot be a name`, zh: `${at} 是 CEL 的保留字，不能用作名称` }
    case 'unexpected_character':
      return at === '=' ? { en: 'a comparison is written ==', zh: '比较应写作 ==' } : own
    case 'unexpected_token':
    case 'expected_token':
      return at === ''
        ? { en: 'the expression ends too early', zh: '表达式不完整' }
        : { en: `${at} was not expected here`, zh: `此处不应出现 ${at}` }
    case 'limit_exceeded':
      return { en: 'too long or nested too deep: split it', zh: '过长或嵌套过深：请拆分' }
    default:
      return own
  }
}

function speak(operands: string): Text {
  const spoken = (language: 'en' | 'zh'): string =>
    operands.replace(/list<\w+>|\b(?:double|bool|string|null)\b/g, (type) => SPOKEN[type]?.[language] ?? type)
  return { en: spoken('en'), zh: spoken('zh') }
}

function construct(op: string): Text {
  if (op === 'constant') return { en: 'null and bytes', zh: ' null 和字节串' }
  if (op === 'map') return { en: 'a map {..}', zh: '映射 {..}' }
  if (op === 'list') return { en: 'a list outside of `in`', zh: ' in 之外的列表' }
  return op.startsWith('[') ? { en: 'an index [..]', zh: '下标 [..]' } : { en: op, zh: ` ${op}` }
}

function meant(near: string): Text {
  return { en: `: did you mean ${near}?`, zh: `：是否应为 ${near}？` }
}

function oneOf(names: readonly string[]): Text {
  if (names.length === 0) return { en: '', zh: '' }
  const shown = names.slice(0, 8).join(', ') + (names.length > 8 ? ', …' : '')
  return { en: ` (it has ${shown})`, zh: `（可用：${shown}）` }
}
