/** The shape of one point in a driver file, and of the block that says what a Modbus device bears. */
import * as z from 'zod'
import { partText } from './schema-textline.ts'
import { duration, expecting, flag, id, label, notNegative, number, positive, range, role, text } from './shapes.ts'

const pollOrDuration = expecting(
  z.string().min(1).max(64),
  'the name of a poll, or a duration such as 5s',
  '轮询名称，或时长，如 5s',
)
export const mapLabel = expecting(
  z.string().regex(/^[a-z0-9][a-z0-9_]{0,63}$/),
  'a label of lower-case letters, digits and _',
  '由小写字母、数字和下划线组成的标签',
)
export const rawKey = expecting(
  z.string().regex(/^(-?\d+|0x[0-9a-fA-F]+|true|false|[A-Za-z][A-Za-z0-9_ -]{0,63})$/),
  'a raw value',
  '原始值',
)
const bitKey = expecting(
  z.string().regex(/^([0-9]|1[0-5])$/),
  'the number of a bit, 0 (least significant) to 15',
  '位号，0（最低位）到15',
)
export const order = expecting(
  z.enum(['ABCD', 'CDAB', 'BADC', 'DCBA']),
  'a byte order: ABCD, CDAB, BADC or DCBA',
  '字节顺序：ABCD、CDAB、BADC、DCBA',
)
/** Of Modbus. Other protocols have formats of their own, which they check themselves. */
export const ENCODINGS = [
  ...(['u16', 's16', 'u32', 's32', 'u64', 's64', 'f32', 'f64', 'bcd16', 'bcd32'] as const),
  ...(['sm16', 'sm32', 'mod10k32', 'mod10k64', 'bit', 'bits', 'string'] as const),
] as const
export const encoding = expecting(
  z.enum(ENCODINGS),
  `an encoding: ${ENCODINGS.join(' ')}`,
  `编码：${ENCODINGS.join(' ')}`,
)
export const format = expecting(
  z.string().regex(/^[A-Za-z0-9_.-]{1,32}( [0-9]{1,3})?$/),
  `an encoding: ${ENCODINGS.join(' ')}; or a format of the protocol`,
  `编码：${ENCODINGS.join(' ')}；或该协议的格式`,
)
const placeText = expecting(
  z.string().min(1).max(256),
  'a place, such as holding 99 or input 0x1F',
  '位置，如 holding 99、input 0x1F',
)
const bitRange = expecting(
  z.string().regex(/^\d{1,2}-\d{1,2}$/),
  'two bits, lowest and highest, such as 4-7',
  '起止位，如 4-7',
)
const holeText = expecting(
  z.string().regex(/^(coil|discrete|input|holding) (0x[0-9a-fA-F]{1,4}|\d{1,5})(-(0x[0-9a-fA-F]{1,4}|\d{1,5}))?$/),
  'a place or a stretch, such as holding 10 or holding 10-19',
  '位置或区段，如 holding 10、holding 10-19',
)
const kind = expecting(
  z.enum(['gauge', 'counter', 'state', 'bits', 'text', 'event']),
  'a kind: gauge, counter, state, bits, text or event',
  '类型：gauge、counter、state、bits、text、event',
)
const smallCount = expecting(z.int().min(0).max(10), 'a whole number, 0 to 10', '0到10的整数')

export const modbusBlock = z.strictObject({
  order: order
    .optional()
    .describe('Byte order of values longer than a register. Default ABCD: what the Modbus specification shows.'),
  maxRegisters: expecting(z.int().min(1).max(125), 'a whole number, 1 to 125', '1到125的整数')
    .optional()
    .describe('Registers in one read. Default 125: the most that the specification allows.'),
  maxBits: expecting(z.int().min(1).max(2000), 'a whole number, 1 to 2000', '1到2000的整数')
    .optional()
    .describe('Coils or inputs in one read. Default 2000: the most that the specification allows.'),
  noHoles: flag.optional().describe('The device refuses a read that touches an undefined register. Default false.'),
  maxGap: expecting(z.int().min(0).max(124), 'a whole number, 0 to 124', '0到124的整数')
    .optional()
    .describe(
      'Registers that may be read over without being asked for. Default 8: about the cost of one more request.',
    ),
  minGap: duration
    .optional()
    .describe('Pause between two requests to this device. Default 0ms: most need none beyond the frame gap.'),
  guard: duration
    .optional()
    .describe('Silence on the wire before a request, at least. Default 0ms: the 3.5 characters of the standard do.'),
  timeout: duration
    .optional()
    .describe(
      'How long to wait for a reply. Default 500ms: slow boards answer within 200 ms, radio bridges within 400.',
    ),
  retries: smallCount
    .optional()
    .describe('Further attempts after a lost reply. Default 1: noise is single, a dead device should cost little.'),
  echo: flag.optional().describe('The RS-485 adapter returns what we send. Default false.'),
  ascii: flag
    .optional()
    .describe('Speaks Modbus ASCII on its line instead of RTU, often with line: 9600 7E1. Default false.'),
  holes: z
    .array(holeText)
    .max(64)
    .optional()
    .describe('What a read must not touch, beside what no point names. Default none.'),
  minBlock: expecting(z.int().min(1).max(125), 'a whole number, 1 to 125', '1到125的整数')
    .optional()
    .describe('Registers that a read has at least. Default 1: only odd devices refuse a single one.'),
  bitsStep: expecting(z.int().min(1).max(16), 'a whole number, 1 to 16', '1到16的整数')
    .optional()
    .describe('Coils and inputs are read in whole groups of so many, 8 where a board knows only bytes. Default 1.'),
  multiple: flag
    .optional()
    .describe('Write by function 16 (15 for coils) also a single one: the device knows no other. Default false.'),
  byteCount: expecting(z.literal([8, 16]), '8 or 16', '8 或 16')
    .optional()
    .describe(
      'Bits of the byte count in answers to reads. Default 8; 16 is a dialect of some lift controllers and drives.',
    ),
  sunspec: expecting(z.int().min(0).max(65_535), 'an address, 0 to 65535', '0到65535的地址')
    .optional()
    .describe('Where the letters SunS stand. Default 40000, what most devices use; others 0 or 50000.'),
})

const factorBlock = z.strictObject({
  point: id.optional().describe('A point of this device. Default: none; a scale has a point or a place.'),
  at: placeText.optional().describe('Or a place, where the scale is no point of its own. Default: none.'),
  as: encoding.optional().describe('With `at`. Default u16.'),
  order: order.optional().describe('With `at`. Default: the driver’s.'),
  bits: bitRange.optional().describe('With `at`: only these bits. Default: all.'),
  means: expecting(z.enum(['power', 'decimals', 'factor']), 'power, decimals or factor', 'power、decimals 或 factor')
    .optional()
    .describe('power: ten to the power of it; decimals: divided by ten so often; factor: times it. Default power.'),
  factors: z
    .record(rawKey, number)
    .optional()
    .describe('In place of `means`: the factor for each raw value. Default: as `means` says.'),
})
const factorText = z.union([id, factorBlock])

const ruleShape = {
  role: role.optional().describe('Who may write it. Default operator: what a duty room does every day.'),
  min: number.optional().describe('Lowest value that may be written. Default: the range, else none.'),
  max: number.optional().describe('Highest value that may be written. Default: the range, else none.'),
  step: positive.optional().describe('Values must be multiples of it, counted from min. Default: none, every value.'),
  readBack: flag.optional().describe('Read after writing and compare. Default true: a reply is no proof.'),
  minOn: duration.optional().describe('How long a written true stays, at least. Default 0ms: nothing to protect.'),
  minOff: duration.optional().describe('How long a written false stays, at least. Default 0ms: nothing to protect.'),
  rate: duration.optional().describe('At most one write in so long. Default 0ms.'),
} as const
export const outputRule = z.strictObject(ruleShape)

export const writeRule = z.strictObject({
  ...ruleShape,
  at: placeText.optional().describe('Where to write. Default: where it is read.'),
  as: encoding.optional().describe('Encoding of what is written. Default: as read.'),
  order: order.optional().describe('Default: as read.'),
  scale: number.optional().describe('Written raw = (value - offset) / scale. Default: as read.'),
  offset: number.optional().describe('Default: as read.'),
  values: z
    .record(rawKey, expecting(z.int().min(0).max(65_535), 'a raw number, 0 to 65535', '0到65535的原始值'))
    .optional()
    .describe('What to write for each value: {true: 256, false: 512}. Default: what is read.'),
})

/** What concerns a value wherever it comes from. */
export const judged = {
  kind: kind
    .optional()
    .describe('Default: gauge for numbers, state where there is a map, bits for `as: bits`, text for texts.'),
  unit: label
    .optional()
    .describe('Unit of the scaled value. Default: what the vocabulary says of this name, else none.'),
  range: range.optional().describe('Outside of it a value is bad (out_of_range). Default: none.'),
  rateMax: positive.optional().describe('Largest plausible change in one second. Default: none.'),
  maxAge: duration
    .optional()
    .describe(
      'Age at which a value turns stale. Default: three times its poll, at least 10 s; published values: never.',
    ),
  frozenAfter: duration.optional().describe('A value that has not moved for so long is doubted. Default: never.'),
  deadband: notNegative.optional().describe('A change up to this is no report. Default 0, where every change is one.'),
  heartbeat: duration
    .optional()
    .describe(
      'An unchanged value is reported again after it. Default 5m: silence stays shorter than a shift can bear.',
    ),
  invert: flag.optional().describe('Swap true and false. Default false.'),
  debounce: duration.optional().describe('A change must last so long to count. Default 0ms.'),
  personal: flag
    .optional()
    .describe('Replaced by a pseudonym before it is kept, shown or sent. Default false; true with `card`.'),
  std: id.optional().describe('The vocabulary name, where the key differs from it. Default: the key, if it is one.'),
  title: text.optional().describe('What people see. Default: the vocabulary’s words, else the key.'),
} as const

const cardForm = expecting(
  z.enum([
    ...(['wiegand_bits', 'wiegand26_raw', 'wiegand34_raw', 'wiegand26_pair', 'wiegand26_decimal'] as const),
    ...(['wiegand34_decimal', 'wiegand34_hex', 'uid', 'uid_reversed'] as const),
  ]),
  'how a card number is written: wiegand_bits wiegand26_raw wiegand34_raw wiegand26_pair wiegand26_decimal ' +
    'wiegand34_decimal wiegand34_hex uid uid_reversed',
  '卡号的书写方式：wiegand_bits wiegand26_raw wiegand34_raw wiegand26_pair wiegand26_decimal ' +
    'wiegand34_decimal wiegand34_hex uid uid_reversed',
)

const pointShape = {
  ...judged,
  at: placeText
    .optional()
    .describe(
      'Modbus: coil|discrete|input|holding and the 0-based address, or `model 103 14`: SunSpec model and offset. DL/T 645, ' +
        'CJ/T 188: the data identifier. M-Bus: the record in words, a quantity and what tells it from others of its kind: `volume`, ' +
        '`energy storage 1`, `power maximum`, `energy tariff 2`, `volume subunit 1`, `energy backward`, `voltage number 3` (of several ' +
        'alike), `vif FD3A` by its code, `"%RH"` by the meter’s own words; `status bit 2` of the header. ' +
        'Payloads: the path of a field, a.b; $ is the whole. Default: the driver’s; else needed.',
    ),
  as: format
    .optional()
    .describe(
      'Encoding. Default: bit for coil and discrete. Payloads: bit for true/false, string for texts; default a number. ' +
        'DL/T 645 and others: a format in place of the one that the standard gives.',
    ),
  field: label
    .optional()
    .describe(
      'CJ/T 188: which value of the answer. 901F of water and gas: total, settled; of heat: heat, settled_heat, power, flow, ' +
        'volume, supply_temperature, return_temperature, hours; of all: clock, status, `status bit 0` to 15, valve (0 open, 1 ' +
        'closed, 3 abnormal), battery_low. D120 to D12B (1 to 12 months back): volume, heat. Default: none; CJ/T 188 needs one.',
    ),
  bits: bitRange
    .optional()
    .describe('Only these bits of u16 or u32, as a number of their own; 0 is the least significant. Default: all.'),
  plus: z
    .strictObject({ at: placeText, as: encoding, scale: number.optional().describe('Default 1.') })
    .optional()
    .describe(
      'A second part in the same read, added before scaling: a fraction, a high word that lies apart. Default: none.',
    ),
  bit: expecting(z.int().min(0).max(15), 'a whole number, 0 to 15', '0到15的整数')
    .optional()
    .describe(
      'Which bit of the register, with `as: bit`; 0 is the least significant. Default: none; `as: bit` of a register needs one.',
    ),
  flags: z
    .record(
      bitKey,
      z.union([
        id,
        z.strictObject({
          name: id,
          title: text.optional().describe('What people see. Default: the vocabulary’s words, else the name.'),
          std: id.optional().describe('The vocabulary name. Default: the name, if it is one.'),
          invert: flag.optional().describe('This bit is 0 when its name holds. Default false.'),
        }),
      ]),
    )
    .optional()
    .describe('Names of bits, with `as: bits`: each becomes a boolean point name_flag. Default: none.'),
  length: expecting(z.int().min(1).max(250), 'a whole number, 1 to 250', '1到250的整数')
    .optional()
    .describe('Bytes of a string. Default: none; `as: string` of a register needs one.'),
  order: order.optional().describe('Byte order of this value. Default: the driver’s.'),
  scale: number.optional().describe('Value = raw × scale + offset. Default 1.'),
  offset: number.optional().describe('Value = raw × scale + offset. Default 0.'),
  scaleFrom: z
    .union([id, factorBlock, z.array(factorText).min(1).max(4)])
    .optional()
    .describe(
      'Where other registers say the scale: the point whose value is its power of ten, or how it is meant. Default: nowhere, scale is all.',
    ),
  invalid: expecting(z.array(z.number()).max(32), 'a list of raw numbers', '原始值列表')
    .optional()
    .describe('Raw numbers that mean “no value”, compared before scaling. Default: none.'),
  map: z.record(rawKey, mapLabel).optional().describe('Raw value to label, for kind state. Default: none.'),
  card: cardForm
    .optional()
    .describe('The value is a card number written so: brought to one form, then to its pseudonym. Default: no card.'),
  only: z
    .record(partText, z.string().max(64))
    .optional()
    .describe('Lines: read only where these parts of the line say this: {field 2: CARD}. Default: every line.'),
  every: pollOrDuration.optional().describe('How often to read it. Default: the driver’s first poll.'),
  read: flag
    .optional()
    .describe('false: never read, for registers that can only be written, or must not be. Default true.'),
  write: writeRule.optional().describe('May be written, under these rules. Default: read only.'),
  forbidden: flag.optional().describe('Writable in the device, and a gateway must never write it. Default false.'),
} as const

export const pointBlock = z.strictObject(pointShape)

export type PointBlock = z.infer<typeof pointBlock>
export type ModbusBlock = z.infer<typeof modbusBlock>
export type FactorText = z.infer<typeof factorText>
export type OutputRule = z.infer<typeof outputRule>
