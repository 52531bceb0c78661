/**
 * What each data identifier means: the tables of the standard as patterns, since tariffs, settlements and phases multiply them to
 * thousands. A pair of letters stands for a number: TT tariff (00 total), SS settlement (00 now, 01 the last one, usually month
 * end), PP phase 1 to 3, QQ total and phases, HH harmonic, WW status word. FF in one of those places asks for the whole row.
 */
import type { PointKind, Text } from '../../model/point.ts'
import {
  asciiFormat,
  bitsFormat,
  DATE,
  DATE_TIME,
  demandFormat,
  digitsFormat,
  type Format,
  numberFormat,
  SHORT_STAMP,
  TIME,
} from './format.ts'

export type Item = {
  readonly title: Text
  readonly unit: string | null
  readonly format: Format
  readonly kind: PointKind
}

/** A row of items that one request reads. */
export type Row = {
  /** With FF in its place. */
  readonly item: string
  /** Identifier of each element, in the order in which they come. A meter may send fewer. */
  readonly members: readonly string[]
  /** As many as a meter usually sends, for predictions. */
  readonly usual: number
  /** A meter that leaves one out closes the ranks: which ones are there can then be told of the first so many only. */
  readonly sure: number
  readonly format: Format
}

type Rule = {
  readonly pattern: string
  readonly en: string
  readonly zh: string
  readonly unit: string | null
  readonly format: Format
  readonly kind?: PointKind
}

type Variable = {
  readonly from: number
  readonly to: number
  readonly usual: number
  readonly sure: number
  /** null: nothing needs to be said of it (now, total). */
  readonly name: (number: number) => Text | null
}

const PHASES = ['total', 'A', 'B', 'C'] as const

function phaseName(number: number): Text | null {
  return number === 0 ? { en: 'total', zh: '总' } : { en: `phase ${PHASES[number]}`, zh: `${PHASES[number]}相` }
}

/** Open rows have no gaps: what a meter sends are the first of them. */
const OPEN = Number.POSITIVE_INFINITY

const VARIABLES: Readonly<Record<string, Variable>> = {
  TT: {
    from: 0,
    to: 0x3f,
    usual: 5,
    sure: OPEN,
    name: (n) => (n === 0 ? null : { en: `tariff ${n}`, zh: `费率${n}` }),
  },
  SS: {
    from: 0,
    to: 12,
    usual: 13,
    sure: OPEN,
    name: (n) => (n === 0 ? null : { en: `settlement ${n}`, zh: `上${n}结算日` }),
  },
  PP: { from: 1, to: 3, usual: 3, sure: 1, name: phaseName },
  QQ: { from: 0, to: 3, usual: 4, sure: 2, name: phaseName },
  HH: { from: 1, to: 21, usual: 21, sure: OPEN, name: (n) => ({ en: `harmonic ${n}`, zh: `${n}次谐波` }) },
  WW: { from: 1, to: 7, usual: 7, sure: OPEN, name: (n) => ({ en: `word ${n}`, zh: `${n}` }) },
}

const ENERGY = numberFormat('XXXXXX.XX')
const SIGNED_ENERGY = numberFormat('-XXXXXX.XX')
const POWER = numberFormat('-XX.XXXX')
const PERCENT = numberFormat('XX.XX')
const ADDRESS = digitsFormat(6)
const MINUTES = numberFormat('XX')
const COUNT6 = numberFormat('XXXXXX')

function energy(code: string, en: string, zh: string, unit: string, signed = false): Rule {
  // A signed sum may fall: it is no counter. What a settlement kept is one: each is what the meter said then.
  const kind = signed ? 'gauge' : 'counter'
  return { pattern: `${code}TTSS`, en, zh, unit, format: signed ? SIGNED_ENERGY : ENERGY, kind }
}

/** Energies of one phase: forward and reverse active, reactive of four quadrants. */
function phaseEnergies(forward: number, phase: 'A' | 'B' | 'C'): readonly Rule[] {
  const rule = (code: number, en: string, zh: string, unit: string): Rule => ({
    pattern: `00${hex(code)}00SS`,
    en: `${en}, phase ${phase}`,
    zh: `${phase}相${zh}`,
    unit,
    format: ENERGY,
    kind: 'counter',
  })
  return [
    rule(forward, 'forward active energy', '正向有功电能', 'kWh'),
    rule(forward + 1, 'reverse active energy', '反向有功电能', 'kWh'),
    ...[1, 2, 3, 4].map((quadrant) =>
      rule(forward + 3 + quadrant, `reactive energy of quadrant ${quadrant}`, `第${quadrant}象限无功电能`, 'kvarh'),
    ),
  ]
}

function measured(pattern: string, en: string, zh: string, unit: string | null, format: Format): Rule {
  return { pattern, en, zh, unit, format }
}

const RULES_2007: readonly Rule[] = [
  energy('0000', 'combined active energy', '组合有功电能', 'kWh', true),
  energy('0001', 'forward active energy', '正向有功电能', 'kWh'),
  energy('0002', 'reverse active energy', '反向有功电能', 'kWh'),
  energy('0003', 'combined reactive energy 1', '组合无功1电能', 'kvarh', true),
  energy('0004', 'combined reactive energy 2', '组合无功2电能', 'kvarh', true),
  ...[1, 2, 3, 4].map((quadrant) =>
    energy(`000${4 + quadrant}`, `reactive energy of quadrant ${quadrant}`, `第${quadrant}象限无功电能`, 'kvarh'),
  ),
  energy('0009', 'forward apparent energy', '正向视在电能', 'kVAh'),
  energy('000A', 'reverse apparent energy', '反向视在电能', 'kVAh'),
  ...phaseEnergies(0x15, 'A'),
  ...phaseEnergies(0x29, 'B'),
  ...phaseEnergies(0x3d, 'C'),
  measured('00900100', 'remaining energy', '剩余电量', 'kWh', ENERGY),
  measured('00900101', 'overdrawn energy', '透支电量', 'kWh', ENERGY),
  measured('00900200', 'remaining money', '剩余金额', 'CNY', ENERGY),
  measured('00900201', 'overdrawn money', '透支金额', 'CNY', ENERGY),
  measured('0101TTSS', 'maximum forward active demand', '正向有功最大需量', 'kW', demandFormat('XX.XXXX')),
  measured('0102TTSS', 'maximum reverse active demand', '反向有功最大需量', 'kW', demandFormat('XX.XXXX')),
  measured('0201PP00', 'voltage', '电压', 'V', numberFormat('XXX.X')),
  measured('0202PP00', 'current', '电流', 'A', numberFormat('-XXX.XXX')),
  measured('0203QQ00', 'active power', '有功功率', 'kW', POWER),
  measured('0204QQ00', 'reactive power', '无功功率', 'kvar', POWER),
  measured('0205QQ00', 'apparent power', '视在功率', 'kVA', numberFormat('XX.XXXX')),
  measured('0206QQ00', 'power factor', '功率因数', null, numberFormat('-X.XXX')),
  measured('0207PP00', 'phase angle', '相角', '°', numberFormat('XXX.X')),
  measured('0208PP00', 'voltage distortion', '电压波形失真度', '%', PERCENT),
  measured('0209PP00', 'current distortion', '电流波形失真度', '%', PERCENT),
  measured('020APPHH', 'harmonic content of the voltage', '电压谐波含有量', '%', PERCENT),
  measured('020BPPHH', 'harmonic content of the current', '电流谐波含有量', '%', PERCENT),
  // One public table has current and frequency one number lower; two others and field frames agree on these.
  measured('02800001', 'neutral current', '零线电流', 'A', numberFormat('-XXX.XXX')),
  measured('02800002', 'frequency', '电网频率', 'Hz', numberFormat('XX.XX')),
  measured('02800003', 'one-minute mean of active power', '一分钟有功总平均功率', 'kW', numberFormat('XX.XXXX')),
  measured('02800004', 'present active demand', '当前有功需量', 'kW', numberFormat('XX.XXXX')),
  measured('02800005', 'present reactive demand', '当前无功需量', 'kvar', numberFormat('XX.XXXX')),
  measured('02800006', 'present apparent demand', '当前视在需量', 'kVA', numberFormat('XX.XXXX')),
  measured('02800007', 'temperature inside the meter', '表内温度', '°C', numberFormat('-XXX.X')),
  measured('02800008', 'clock battery voltage', '时钟电池电压', 'V', numberFormat('XX.XX')),
  measured('02800009', 'readout battery voltage', '停电抄表电池电压', 'V', numberFormat('XX.XX')),
  measured('0280000A', 'battery working time', '内部电池工作时间', 'min', numberFormat('XXXXXXXX')),
  measured('04000101', 'date', '日期', null, DATE),
  measured('04000102', 'time', '时间', null, TIME),
  // A registered extension: not every meter has it.
  measured('0400010C', 'date and time', '日期及时间', null, DATE_TIME),
  measured('04000103', 'demand period', '最大需量周期', 'min', MINUTES),
  measured('04000104', 'demand slide time', '滑差时间', 'min', MINUTES),
  measured('04000306', 'current transformer ratio', '电流互感器变比', null, COUNT6),
  measured('04000307', 'voltage transformer ratio', '电压互感器变比', null, COUNT6),
  measured('04000401', 'communication address', '通信地址', null, ADDRESS),
  measured('04000402', 'meter number', '表号', null, ADDRESS),
  measured('04000403', 'asset code', '资产管理编码', null, asciiFormat(32)),
  measured('04000404', 'rated voltage', '额定电压', null, asciiFormat(6)),
  measured('04000405', 'rated current', '额定电流', null, asciiFormat(6)),
  measured('04000406', 'maximum current', '最大电流', null, asciiFormat(6)),
  measured('04000407', 'active accuracy class', '有功准确度等级', null, asciiFormat(4)),
  measured('04000408', 'reactive accuracy class', '无功准确度等级', null, asciiFormat(4)),
  measured('04000409', 'active pulse constant', '有功常数', 'imp/kWh', COUNT6),
  measured('0400040A', 'reactive pulse constant', '无功常数', 'imp/kvarh', COUNT6),
  measured('0400040B', 'model', '电表型号', null, asciiFormat(10)),
  measured('0400040C', 'production date', '生产日期', null, asciiFormat(10)),
  measured('0400040D', 'protocol version', '协议版本号', null, asciiFormat(16)),
  { pattern: '040005WW', en: 'status', zh: '运行状态字', unit: null, format: bitsFormat(2), kind: 'bits' },
  ...[1, 2, 3].map((day) =>
    measured(`04000B0${day}`, `settlement day ${day} (day and hour)`, `第${day}结算日`, null, digitsFormat(2)),
  ),
]

/**
 * The 1997 edition. Surer than the rest are 9010 (frames of several meters), B611 and B621; the others are from general knowledge
 * of the standard. Currents have no sign here: 80 A and more are possible, and their first digit would be taken for one.
 */
const RULES_1997: readonly Rule[] = [
  ...(
    [
      ['90', '', ''],
      ['94', ', last month', '上月'],
      ['98', ', month before last', '上上月'],
    ] as const
  ).flatMap(([code, en, zh]) =>
    [0, 1, 2, 3, 4].map(
      (tariff): Rule => ({
        pattern: `${code}1${tariff}`,
        en: `forward active energy${tariff === 0 ? '' : `, tariff ${tariff}`}${en}`,
        zh: `${zh}正向有功电能${tariff === 0 ? '' : ` 费率${tariff}`}`,
        unit: 'kWh',
        format: ENERGY,
        kind: 'counter',
      }),
    ),
  ),
  { ...measured('9020', 'reverse active energy', '反向有功电能', 'kWh', ENERGY), kind: 'counter' },
  { ...measured('9110', 'forward reactive energy', '正向无功电能', 'kvarh', ENERGY), kind: 'counter' },
  { ...measured('9120', 'reverse reactive energy', '反向无功电能', 'kvarh', ENERGY), kind: 'counter' },
  measured('A010', 'maximum forward active demand', '正向有功最大需量', 'kW', numberFormat('XX.XXXX')),
  measured('B010', 'time of the maximum forward active demand', '正向有功最大需量发生时间', null, SHORT_STAMP),
  ...[1, 2, 3].flatMap((phase) => [
    measured(`B61${phase}`, `voltage, phase ${PHASES[phase]}`, `${PHASES[phase]}相电压`, 'V', numberFormat('XXXX')),
    measured(`B62${phase}`, `current, phase ${PHASES[phase]}`, `${PHASES[phase]}相电流`, 'A', numberFormat('XX.XX')),
  ]),
  ...[0, 1, 2, 3].flatMap((phase) => {
    const en = phase === 0 ? '' : `, phase ${PHASES[phase]}`
    const zh = phase === 0 ? '总' : `${PHASES[phase]}相`
    return [
      measured(`B63${phase}`, `active power${en}`, `${zh}有功功率`, 'kW', POWER),
      measured(`B64${phase}`, `reactive power${en}`, `${zh}无功功率`, 'kvar', numberFormat('-XX.XX')),
      measured(`B65${phase}`, `power factor${en}`, `${zh}功率因数`, null, numberFormat('-X.XXX')),
    ]
  }),
  measured('C010', 'date', '日期', null, DATE),
  measured('C011', 'time', '时间', null, TIME),
  { ...measured('C020', 'meter status', '电表运行状态字', null, bitsFormat(1)), kind: 'bits' },
  { ...measured('C021', 'grid status', '电网状态字', null, bitsFormat(1)), kind: 'bits' },
  measured('C032', 'meter number', '表号', null, ADDRESS),
  measured('C033', 'user number', '用户号', null, ADDRESS),
  measured('C034', 'device number', '设备码', null, ADDRESS),
]

const RULES = [...RULES_2007, ...RULES_1997].map((rule) => ({ rule, pairs: rule.pattern.match(/../g) ?? [] }))

type Found = { readonly rule: Rule; readonly pairs: readonly string[]; readonly numbers: readonly number[] }

/** `item`: 8 or 4 hexadecimal digits, upper case, DI3 first. null: the table does not have it. */
export function itemOf(item: string): Item | null {
  const found = find(item, false)
  if (found === null) return null
  const { rule, pairs, numbers } = found
  const names = pairs.flatMap((pair, at) => VARIABLES[pair]?.name(numbers[at] ?? 0) ?? [])
  return {
    title: {
      en: [rule.en, ...names.map(({ en }) => en)].join(', '),
      zh: [rule.zh, ...names.map(({ zh }) => zh)].join(' '),
    },
    unit: rule.unit,
    format: rule.format,
    kind: rule.kind ?? rule.format.kind,
  }
}

/** null: not a row of this table. */
export function rowOf(item: string): Row | null {
  const found = find(item, true)
  if (found === null) return null
  const { rule, pairs, numbers } = found
  const at = numbers.indexOf(0xff)
  const variable = VARIABLES[pairs[at] ?? '']
  if (variable === undefined) return null
  const members: string[] = []
  for (let number = variable.from; number <= variable.to; number++) {
    members.push(item.slice(0, 2 * at) + hex(number) + item.slice(2 * at + 2))
  }
  return { item, members, usual: variable.usual, sure: variable.sure, format: rule.format }
}

/** Rows that hold this item. */
export function rowsWith(item: string): readonly string[] {
  const found = find(item, false)
  if (found === null) return []
  return found.pairs.flatMap((pair, at) =>
    VARIABLES[pair] === undefined ? [] : [`${item.slice(0, 2 * at)}FF${item.slice(2 * at + 2)}`],
  )
}

/** `row`: exactly one variable is FF. */
function find(item: string, row: boolean): Found | null {
  const given = item.match(/../g) ?? []
  const numbers = given.map((pair) => Number.parseInt(pair, 16))
  for (const { rule, pairs } of RULES) {
    if (pairs.length !== given.length) continue
    const open = pairs.filter((pair, at) => VARIABLES[pair] !== undefined && numbers[at] === 0xff).length
    if (open !== (row ? 1 : 0)) continue
    if (pairs.every((pair, at) => fits(pair, given[at] ?? '', numbers[at] ?? 0))) return { rule, pairs, numbers }
  }
  return null
}

function fits(pattern: string, given: string, number: number): boolean {
  const variable = VARIABLES[pattern]
  if (variable === undefined) return pattern === given
  return number === 0xff || (number >= variable.from && number <= variable.to)
}

function hex(number: number): string {
  return number.toString(16).padStart(2, '0').toUpperCase()
}
