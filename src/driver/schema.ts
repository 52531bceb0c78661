/**
 * The shape of `drivers/<category>/<model>.yaml`. One schema: parsed with it, printed from it, typed by it.
 * Descriptions give the reason of each default.
 */
import * as z from 'zod'
import { cjt188Block, dlt645Block, mbusBlock } from './schema-codec.ts'
import { format, judged, mapLabel, modbusBlock, order, outputRule, pointBlock, rawKey } from './schema-point.ts'
import { textlineBlock } from './schema-textline.ts'
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
  number,
  priority,
  range,
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

export const deriveBlock = z.strictObject({
  ...judged,
  increase: id.optional().describe('What this counter gained since the period began.'),
  over: z
    .enum(['hour', 'day', 'month'])
    .optional()
    .describe('The period of `increase`, in the site’s time zone. Default: none; increase needs one.'),
  hours: id.optional().describe('For how many hours this boolean was true, in all.'),
  count: id.optional().describe('How often this boolean became true, in all.'),
  expression: expression.optional().describe('A formula over points of the same device.'),
  door: id.optional().describe('State of the door with this contact (true: closed): closed, open, held or forced.'),
  granted: id
    .optional()
    .describe('With `door`: the boolean that says that somebody is let through. Default: none, so never forced.'),
  unlock: delay
    .optional()
    .describe('With `door`: so long after that it may be opened. Default 5s, what a person needs.'),
  held: delay.optional().describe('With `door`: open for so long is held. Default 30s, a trolley and a greeting.'),
})

export const alarmBlock = z.strictObject({
  when: expression
    .optional()
    .describe(
      'The condition. A device’s rule names its own points bare, and params.x. Default: the driver’s; else needed.',
    ),
  onDelay: delay
    .optional()
    .describe('It must hold so long to raise; params.x of the driver, where sites differ. Default 0ms.'),
  offDelay: delay.optional().describe('It must be gone so long to clear; or params.x of the driver. Default 0ms.'),
  latch: flag.optional().describe('Stays active until acknowledged. Default false.'),
  priority: priority
    .optional()
    .describe('By consequence and time to respond (ISA-18.2). Default: the driver’s; else needed.'),
  text: text.optional().describe('What has happened. Default: the driver’s; else needed.'),
  advice: text.optional().describe('What to do about it. Default: none.'),
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
  unit: label.optional().describe('Default: none.'),
  range: expecting(
    z.union([z.array(z.number()).length(2), z.array(duration).length(2)]),
    'two numbers or two durations, [lowest, highest]',
    '两个数字或两个时长：[最小值, 最大值]',
  )
    .optional()
    .describe('What a site may set; of a duration, two durations. Default: anything.'),
  text: text.optional().describe('What it is for. Default: nothing is said.'),
})

const inputBlock = z.strictObject({
  ...judged,
  required: flag.optional().describe('A site must connect it. Default false: equipment differs.'),
  as: expecting(z.enum(['bit', 'number', 'string']), 'bit, number or string', 'bit、number 或 string')
    .optional()
    .describe('What the connected point gives. Default bit: contacts are what is composed most.'),
  map: z
    .record(rawKey, mapLabel)
    .optional()
    .describe('Labels that the connected state point can take. Default: all of them.'),
  write: outputRule
    .optional()
    .describe(
      'An output: a write goes to the connected point, under its rule and, where it is stricter, this one. Default: read only.',
    ),
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

const proofStep = z.strictObject({
  at: duration.optional().describe('Time since the first step. Default: that of the step before.'),
  inputs: z
    .record(id, sampleValue)
    .optional()
    .describe('What these inputs say from now on; null: nothing. What no step names is not connected.'),
  samples: z.record(id, sampleValue).optional().describe('What must then come out; null: bad.'),
  alarms: z
    .array(id)
    .max(64)
    .optional()
    .describe('Exactly these are active then; nobody acknowledges. Default: not looked at.'),
})

export const proofBlock = z.strictObject({
  from: label.optional().describe('Where the bytes come from.'),
  framing: z.enum(['rtu', 'tcp']).optional().describe('Default rtu: what an RS-485 capture shows.'),
  request: hex.optional().describe('The whole request frame.'),
  reply: hex.optional().describe('The whole reply frame.'),
  topic: label
    .optional()
    .describe(
      'Sub-topic of the message, for devices that publish, ../x beside its own, or the whole topic with %topic% for the device’s. Default: its own.',
    ),
  payload: z.string().max(16_384).optional().describe('The published text; with `write`: what must be published.'),
  received: z.string().max(4096).optional().describe('Protocol textline: bytes as they come, delimiter and all.'),
  availability: z.enum(['online', 'offline']).optional().describe('What the message says of the device.'),
  plan: flag.optional().describe('The planner must ask exactly so. Default false.'),
  write: z.record(id, scalar).optional().describe('Writing this value must give exactly this request.'),
  address: expecting(z.string().regex(/^[0-9A-Fa-f]{1,24}$/), 'the digits of a meter’s address', '表地址的数字')
    .optional()
    .describe('Whom the request asks, where its frame does not say so by itself (all but Modbus).'),
  next: z
    .array(z.strictObject({ request: hex, reply: hex }))
    .max(16)
    .optional()
    .describe('What must be asked besides before the answer is complete, and the replies.'),
  samples: z.record(id, sampleValue).optional().describe('What must come out; null: bad.'),
  params: z.record(id, scalar).optional().describe('With `steps`: what the site sets. Default: nothing.'),
  steps: z
    .array(proofStep)
    .min(1)
    .max(64)
    .optional()
    .describe('Protocol composed: what its inputs say over time, and what must follow.'),
})

const code = (what: { readonly en: string; readonly zh: string }) =>
  expecting(z.string().regex(/^[0-9A-Fa-f]{2}$/), what.en, what.zh)
const typeCode = code({ en: 'a meter type as two hexadecimal digits, such as "10"', zh: '两位十六进制表类型，如 "10"' })
const mediumCode = code({ en: 'a medium as two hexadecimal digits, such as "07"', zh: '两位十六进制介质码，如 "07"' })

const identifyBlock = z.strictObject({
  read: label.optional().describe('A place, as in `at`.'),
  count: expecting(z.int().min(1).max(125), 'a whole number, 1 to 125', '1到125的整数')
    .optional()
    .describe('How many there must be, where being there is the proof.'),
  as: format.optional(),
  order: order.optional(),
  length: expecting(z.int().min(1).max(250), 'a whole number, 1 to 250', '1到250的整数').optional(),
  scale: number.optional(),
  offset: number.optional(),
  equals: scalar.optional().describe('The value that proves the model.'),
  range: range.optional().describe('The values that make it likely.'),
  type: z
    .array(typeCode)
    .min(1)
    .max(16)
    .optional()
    .describe(
      'CJ/T 188, in place of `read`: meter types that its frames may name. Default: the type that it is asked as.',
    ),
  manufacturer: expecting(z.string().regex(/^[A-Z]{3}$/), 'three capital letters, such as KAM', '三个大写字母，如 KAM')
    .optional()
    .describe('M-Bus, in place of `read`: the maker in the header of its answer; with `version` it proves the model.'),
  version: expecting(z.int().min(0).max(255), 'a whole number, 0 to 255', '0到255的整数')
    .optional()
    .describe('M-Bus: the version in that header, which each maker counts by himself.'),
  medium: z
    .array(mediumCode)
    .min(1)
    .max(16)
    .optional()
    .describe('M-Bus: media that the header may name: "04" and "0C" heat, "03" gas, "07" water, "06" hot, "16" cold.'),
})

export const driverSchema = z.strictObject({
  driver: driverName.describe('The same as the path of this file: category/model.'),
  extends: driverName
    .optional()
    .describe('One parent, whose maps this file adds to; a parent has no parent. Default: none.'),
  title: text.optional().describe('The model, for people. Default: the parent’s; else needed.'),
  category: z.enum(CATEGORIES).optional().describe('The folder that it lies in. Default: the parent’s; else needed.'),
  brick: label.optional().describe('Brick class of the equipment. Default: none.'),
  protocol: expecting(
    z.enum(['modbus', 'mqtt', 'composed', 'textline', 'dlt645', 'cjt188', 'mbus']),
    'a protocol: modbus, dlt645, cjt188, mbus, textline, mqtt or composed',
    '协议：modbus、dlt645、cjt188、mbus、textline、mqtt、composed',
  )
    .optional()
    .describe('What it speaks. Default: the parent’s; else needed.'),
  payload: label.optional().describe('Protocol mqtt: the codec of its messages. Default: none; mqtt needs one.'),
  manual: z
    .enum(MANUALS)
    .optional()
    .describe('How the maker prints addresses; screens show both. Default 0based: as on the wire.'),
  source: z.string().min(1).max(4096).optional().describe('Where these facts come from. Default: unsaid.'),
  proven: z.enum(['capture', 'computed', 'none']).optional().describe('Where the proof bytes come from. Default none.'),
  line: line
    .optional()
    .describe('Line setting from the factory. Default 9600 8N1: what most devices are delivered with.'),
  modbus: modbusBlock.optional().describe('Protocol modbus: limits and timing. Default: as its keys say.'),
  dlt645: dlt645Block.optional().describe('Protocol dlt645: limits and timing. Default: as its keys say.'),
  cjt188: cjt188Block.optional().describe('Protocol cjt188: limits and timing. Default: as its keys say.'),
  mbus: mbusBlock.optional().describe('Protocol mbus: limits and timing. Default: as its keys say.'),
  textline: textlineBlock
    .optional()
    .describe('Protocol textline: what its lines look like. Default: none; textline needs it.'),
  params: z.record(id, paramBlock).optional().describe('What a site may set. Default: nothing.'),
  polls: z
    .record(id, duration)
    .optional()
    .describe('Names for intervals; the first is the default. Without polls: 10s, which no device minds.'),
  inputs: z
    .record(id, inputBlock)
    .optional()
    .describe('Protocol composed: what it is made of; each becomes a point. Default: none.'),
  points: z.record(id, pointBlock).optional().describe('What is read of it. Default: none.'),
  derive: z.record(id, deriveBlock).optional().describe('Computed points. Default: none.'),
  alarms: z.record(id, alarmBlock).optional().describe('Alarms that every such device brings. Default: none.'),
  identify: z
    .array(identifyBlock)
    .max(16)
    .optional()
    .describe('What proves the model to a scan: reads, or what the answer says of itself. Default: nothing does.'),
  proof: z
    .array(proofBlock)
    .max(64)
    .optional()
    .describe('Bytes and what they must come to, replayed by a test. Default: none.'),
})

export type DriverFile = z.infer<typeof driverSchema>
export type DeriveBlock = z.infer<typeof deriveBlock>
export type AlarmBlock = z.infer<typeof alarmBlock>
export type ParamBlock = z.infer<typeof paramBlock>
export type InputBlock = z.infer<typeof inputBlock>
export type ProofBlock = z.infer<typeof proofBlock>
export { ID }
