/**
 * The shape of `drivers/<category>/<model>.yaml`. One schema: parsed with it, printed from it, typed by it.
 * Descriptions give the reason of each default.
 */
import { z } from 'zod'
import {
  delay,
  duration,
  expecting,
  expression,
  flag,
  ID,
  id,
  label,
  line,
  notNegative,
  number,
  positive,
  priority,
  range,
  role,
  scalar,
  text,
} from './shapes.ts'

export const CATEGORIES = [
  'elevator',
  'pump',
  'meter',
  'access',
  'environment',
  'io',
  'hvac',
  'lighting',
  'irrigation',
  'ev_charger',
  'pv',
  'water_treatment',
  'fire',
  'generator',
  'ups',
  'waste',
  'parking',
  'sos',
] as const

/** How makers print register addresses; what is added to show their number beside ours. */
export const MANUALS = ['0x', '0based', '1based', '3x_1based', '4x_1based', '3xx_1based', '4xx_1based'] as const

export const driverName = expecting(
  z.string().regex(/^[a-z][a-z0-9_]{0,63}\/[a-z0-9][a-z0-9_]{0,63}$/),
  'a driver as category/model, such as pump/abb_acs580',
  '形如 类别/型号 的驱动名，如 pump/abb_acs580',
)
const pollOrDuration = expecting(
  z.string().min(1).max(64),
  'the name of a poll, or a duration such as 5s',
  '轮询名称，或时长，如 5s',
)
const mapLabel = expecting(
  z.string().regex(/^[a-z0-9][a-z0-9_]{0,63}$/),
  'a label of lower-case letters, digits and _',
  '由小写字母、数字和下划线组成的标签',
)
const rawKey = expecting(
  z.string().regex(/^(-?\d+|0x[0-9a-fA-F]+|true|false|[A-Za-z][A-Za-z0-9_ -]{0,63})$/),
  'a raw value',
  '原始值',
)
const bitKey = expecting(
  z.string().regex(/^([0-9]|1[0-5])$/),
  'the number of a bit, 0 (least significant) to 15',
  '位号，0（最低位）到15',
)
const order = expecting(
  z.enum(['ABCD', 'CDAB', 'BADC', 'DCBA']),
  'a byte order: ABCD, CDAB, BADC or DCBA',
  '字节顺序：ABCD、CDAB、BADC、DCBA',
)
const encoding = expecting(
  z.enum(['u16', 's16', 'u32', 's32', 'u64', 's64', 'f32', 'f64', 'bcd16', 'bcd32', 'bit', 'bits', 'string']),
  'an encoding: u16 s16 u32 s32 u64 s64 f32 f64 bcd16 bcd32 bit bits string',
  '编码：u16 s16 u32 s32 u64 s64 f32 f64 bcd16 bcd32 bit bits string',
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
})

export const writeRule = z.strictObject({
  role: role.optional().describe('Who may write it. Default operator: what a duty room does every day.'),
  min: number.optional().describe('Lowest value that may be written. Default: the range, else none.'),
  max: number.optional().describe('Highest value that may be written. Default: the range, else none.'),
  step: positive.optional().describe('Values must be multiples of it, counted from min. Default: none, every value.'),
  readBack: flag.optional().describe('Read after writing and compare. Default true: a reply is no proof.'),
  minOn: duration.optional().describe('How long a written true stays, at least. Default 0ms: nothing to protect.'),
  minOff: duration.optional().describe('How long a written false stays, at least. Default 0ms: nothing to protect.'),
  rate: duration.optional().describe('At most one write in so long. Default 0ms.'),
})

/** What concerns a value wherever it comes from. */
const judged = {
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
  personal: flag.optional().describe('Pseudonymised before it is kept or sent. Default false.'),
  std: id.optional().describe('The vocabulary name, where the key differs from it. Default: the key, if it is one.'),
  title: text.optional().describe('What people see. Default: the vocabulary’s words, else the key.'),
} as const

const pointShape = {
  ...judged,
  at: expecting(
    z.string().min(1).max(256),
    'a place, such as holding 99 or input 0x1F',
    '位置，如 holding 99、input 0x1F',
  )
    .optional()
    .describe(
      'Modbus: coil|discrete|input|holding and the 0-based address. Payloads: the path of a field, a.b; $ is the whole.',
    ),
  as: encoding
    .optional()
    .describe(
      'Encoding. Default: bit for coil and discrete. Payloads: bit for true/false, string for texts; default a number.',
    ),
  bit: expecting(z.int().min(0).max(15), 'a whole number, 0 to 15', '0到15的整数')
    .optional()
    .describe('Which bit of the register, with `as: bit`; 0 is the least significant.'),
  flags: z
    .record(bitKey, id)
    .optional()
    .describe('Names of bits, with `as: bits`: each becomes a boolean point name_flag.'),
  length: expecting(z.int().min(1).max(250), 'a whole number, 1 to 250', '1到250的整数')
    .optional()
    .describe('Bytes of a string.'),
  order: order.optional().describe('Byte order of this value. Default: the driver’s.'),
  scale: number.optional().describe('Value = raw × scale + offset. Default 1.'),
  offset: number.optional().describe('Value = raw × scale + offset. Default 0.'),
  scaleFrom: id.optional().describe('The point whose value is the power of ten of the scale.'),
  invalid: expecting(z.array(z.number()).max(32), 'a list of raw numbers', '原始值列表')
    .optional()
    .describe('Raw numbers that mean “no value”, compared before scaling. Default: none.'),
  map: z.record(rawKey, mapLabel).optional().describe('Raw value to label, for kind state.'),
  every: pollOrDuration.optional().describe('How often to read it. Default: the driver’s first poll.'),
  write: writeRule.optional().describe('May be written, under these rules. Default: read only.'),
  forbidden: flag.optional().describe('Writable in the device, and a gateway must never write it. Default false.'),
} as const

export const pointBlock = z.strictObject(pointShape)

export const deriveBlock = z.strictObject({
  ...judged,
  increase: id.optional().describe('What this counter gained since the period began.'),
  over: z.enum(['hour', 'day', 'month']).optional().describe('The period of `increase`, in the site’s time zone.'),
  hours: id.optional().describe('For how many hours this boolean was true, in all.'),
  count: id.optional().describe('How often this boolean became true, in all.'),
  expression: expression.optional().describe('A formula over points of the same device.'),
})

export const alarmBlock = z.strictObject({
  when: expression.optional().describe('The condition. A device’s rule names its own points bare, and params.x.'),
  onDelay: delay
    .optional()
    .describe('It must hold so long to raise; params.x of the driver, where sites differ. Default 0ms.'),
  offDelay: delay.optional().describe('It must be gone so long to clear; or params.x of the driver. Default 0ms.'),
  latch: flag.optional().describe('Stays active until acknowledged. Default false.'),
  priority: priority.optional().describe('By consequence and time to respond (ISA-18.2).'),
  text: text.optional().describe('What has happened.'),
  advice: text.optional().describe('What to do about it.'),
  do: z
    .array(
      z.strictObject({
        write: expecting(
          z.string().regex(/^[a-z][a-z0-9_]{0,63}(\.[a-z][a-z0-9_]{0,63})?$/),
          'a point, such as io_1.relay_1',
          '点，如 io_1.relay_1',
        ).describe('The point to write; bare: of the same device.'),
        value: scalar.describe('The value while the alarm is raised.'),
        onClear: scalar.optional().describe('The value while it is normal. Default: nothing is written then.'),
      }),
    )
    .max(16)
    .optional()
    .describe('Levels to hold on outputs, at once, before the disk. Default: none.'),
  enabled: flag.optional().describe('false: leave this alarm out. Default true.'),
})

export const paramBlock = z.strictObject({
  default: scalar.describe('The value where a site sets none.'),
  unit: label.optional(),
  range: expecting(
    z.union([z.array(z.number()).length(2), z.array(duration).length(2)]),
    'two numbers or two durations, [lowest, highest]',
    '两个数字或两个时长：[最小值, 最大值]',
  )
    .optional()
    .describe('What a site may set; of a duration, two durations.'),
  text: text.optional().describe('What it is for.'),
})

const inputBlock = z.strictObject({
  ...judged,
  required: flag.optional().describe('A site must connect it. Default false: equipment differs.'),
  as: expecting(z.enum(['bit', 'number', 'string']), 'bit, number or string', 'bit、number 或 string')
    .optional()
    .describe('What the connected point gives. Default bit: contacts are what is composed most.'),
  map: z.record(rawKey, mapLabel).optional().describe('Labels that the connected state point can take.'),
})

const sampleValue = expecting(
  z.union([z.boolean(), z.number(), z.string(), z.null()]),
  'the value that must come out, or null for none',
  '应得到的值，或 null',
)
const hex = expecting(
  z.string().regex(/^[0-9a-fA-F]{2}( ?[0-9a-fA-F]{2})*$/),
  'bytes in hexadecimal, such as "01 04 00 00"',
  '十六进制字节，如 "01 04 00 00"',
)

export const proofBlock = z.strictObject({
  from: label.optional().describe('Where the bytes come from.'),
  framing: z.enum(['rtu', 'tcp']).optional().describe('Default rtu: what an RS-485 capture shows.'),
  request: hex.optional().describe('The whole request frame.'),
  reply: hex.optional().describe('The whole reply frame.'),
  topic: label
    .optional()
    .describe('Sub-topic of the message, for devices that publish. Default: the device’s own topic.'),
  payload: z.string().max(16_384).optional().describe('The published text.'),
  plan: flag.optional().describe('The planner must ask exactly so. Default false.'),
  write: z.record(id, scalar).optional().describe('Writing this value must give exactly this request.'),
  samples: z.record(id, sampleValue).optional().describe('What must come out; null: bad.'),
})

const identifyBlock = z.strictObject({
  read: label.describe('A place, as in `at`.'),
  count: expecting(z.int().min(1).max(125), 'a whole number, 1 to 125', '1到125的整数')
    .optional()
    .describe('How many there must be, where being there is the proof.'),
  as: encoding.optional(),
  order: order.optional(),
  length: expecting(z.int().min(1).max(250), 'a whole number, 1 to 250', '1到250的整数').optional(),
  scale: number.optional(),
  offset: number.optional(),
  equals: scalar.optional().describe('The value that proves the model.'),
  range: range.optional().describe('The values that make it likely.'),
})

export const driverSchema = z.strictObject({
  driver: driverName.describe('The same as the path of this file: category/model.'),
  extends: driverName.optional().describe('One parent, whose maps this file adds to; a parent has no parent.'),
  title: text.optional().describe('The model, for people.'),
  category: z.enum(CATEGORIES).optional(),
  brick: label.optional().describe('Brick class of the equipment.'),
  protocol: expecting(
    z.enum(['modbus', 'mqtt', 'composed', 'dlt645', 'cjt188', 'mbus']),
    'a protocol: modbus, mqtt or composed',
    '协议：modbus、mqtt、composed',
  ).optional(),
  payload: label.optional().describe('Protocol mqtt: the codec of its messages.'),
  manual: z
    .enum(MANUALS)
    .optional()
    .describe('How the maker prints addresses; screens show both. Default 0based: as on the wire.'),
  source: z.string().min(1).max(4096).optional().describe('Where these facts come from.'),
  proven: z.enum(['capture', 'computed', 'none']).optional().describe('Where the proof bytes come from. Default none.'),
  line: line
    .optional()
    .describe('Line setting from the factory. Default 9600 8N1: what most devices are delivered with.'),
  modbus: modbusBlock.optional(),
  params: z.record(id, paramBlock).optional().describe('What a site may set.'),
  polls: z
    .record(id, duration)
    .optional()
    .describe('Names for intervals; the first is the default. Without polls: 10s, which no device minds.'),
  inputs: z.record(id, inputBlock).optional().describe('Protocol composed: what it is made of; each becomes a point.'),
  points: z.record(id, pointBlock).optional(),
  derive: z.record(id, deriveBlock).optional().describe('Computed points.'),
  alarms: z.record(id, alarmBlock).optional().describe('Alarms that every such device brings.'),
  identify: z.array(identifyBlock).max(16).optional().describe('Reads that prove the model to a scan.'),
  proof: z.array(proofBlock).max(64).optional().describe('Bytes and what they must come to, replayed by a test.'),
})

export type DriverFile = z.infer<typeof driverSchema>
export type PointBlock = z.infer<typeof pointBlock>
export type DeriveBlock = z.infer<typeof deriveBlock>
export type AlarmBlock = z.infer<typeof alarmBlock>
export type ParamBlock = z.infer<typeof paramBlock>
export type InputBlock = z.infer<typeof inputBlock>
export type ProofBlock = z.infer<typeof proofBlock>
export type ModbusBlock = z.infer<typeof modbusBlock>
export { ID }
