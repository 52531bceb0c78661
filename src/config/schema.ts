/**
 * The shape of `site.yaml`. One schema: parsed with it, printed from it, typed by it. Everything has a default but what only
 * the site can know; descriptions give the reasons.
 */
import * as z from 'zod'
import { alarmBlock, driverName, driverSchema } from '../driver/schema.ts'
import { cjt188Block, dlt645Block, mbusBlock } from '../driver/schema-codec.ts'
import { modbusBlock, pointBlock } from '../driver/schema-point.ts'
import { textlineBlock } from '../driver/schema-textline.ts'
import {
  duration,
  expecting,
  flag,
  id,
  label,
  line,
  rate,
  scalar,
  secret,
  secretName,
  size,
  text,
} from '../driver/shapes.ts'

const wire = expecting(
  z.string().min(1).max(256),
  'a wire: modbus-tcp://host, tcp://host:port, or a serial port such as /dev/serial/by-path/…',
  '线路：modbus-tcp://主机、tcp://主机:端口，或串口路径如 /dev/serial/by-path/…',
)
const address = expecting(
  z.union([z.number(), z.string().min(1).max(64)]),
  'an address: a number for Modbus, a quoted text where leading zeros count',
  '地址：Modbus 用数字；前导零有意义的用加引号的文本',
)
/** A topic of one device: no wildcards, no slash at either end. */
const topic = expecting(
  z.string().regex(/^[^/#+\0][^#+\0]{0,254}[^/#+\0]$/),
  'an MQTT topic without wildcards, such as zigbee2mqtt/lobby',
  '不含通配符的 MQTT 主题，如 zigbee2mqtt/lobby',
)
const filter = expecting(
  z
    .string()
    .regex(/^(\+|[^/#+\0]*)(\/(\+|[^/#+\0]*))*(\/#)?$|^#$/)
    .min(1)
    .max(256),
  'an MQTT topic filter, such as zigbee2mqtt/#',
  'MQTT 主题过滤器，如 zigbee2mqtt/#',
)
const file = expecting(z.string().min(1).max(1024), 'the path of a file', '文件路径')
const url = expecting(z.string().min(1).max(512), 'an address such as mqtts://host:8883', '地址，如 mqtts://host:8883')
const words = expecting(
  z.record(id, label),
  'a map of labels, such as {building: B3, room: …}',
  '标签映射，如 {building: B3, room: …}',
)
const count = (min: number, max: number) =>
  expecting(z.int().min(min).max(max), `a whole number, ${min} to ${max}`, `${min}到${max}的整数`)

const siteBlock = z.strictObject({
  id: id.describe('Names the site in topics and screens.'),
  name: text.optional().describe('For people. Default: the id.'),
  timezone: label
    .optional()
    .describe(
      'IANA zone of days and months. Default Asia/Shanghai: one zone holds for the country Gatehouse was made for.',
    ),
  location: z
    .strictObject({
      lat: expecting(z.number().min(-90).max(90), 'degrees, -90 to 90', '-90到90的度数'),
      lon: expecting(z.number().min(-180).max(180), 'degrees, -180 to 180', '-180到180的度数'),
    })
    .optional()
    .describe('WGS 84. Default: none.'),
})

const gatewayBlock = z.strictObject({
  id: id.optional().describe('MQTT client id and certificate CN. Default: site.id, as most sites have one gateway.'),
  clock: z
    .enum(['auto', 'system'])
    .optional()
    .describe(
      'auto: trust UTC while the kernel says synchronised; system: trust the host. Default auto: boxes boot in 1970.',
    ),
})

const keepBlock = z.strictObject({
  raw: duration.optional().describe('Every report. Default 7d: a week to look into a complaint.'),
  minutes: duration.optional().describe('Roll-ups by the minute. Default 90d: a season.'),
  hours: duration.optional().describe('Roll-ups by the hour. Default 2y: this year against the last.'),
  alarms: duration.optional().describe('Alarms. Default 3y: as long as a dispute may take.'),
  audit: duration.optional().describe('Who did what. Default 200d: above the 180 days that auditors ask for.'),
  access: duration.optional().describe('Door events. Default 30d: no longer than there is need.'),
  acked: duration.optional().describe('Batches that the cloud has. Default 24h: it may ask for them again.'),
})

const storeBlock = z.strictObject({
  commitEvery: duration.optional().describe('Telemetry is on disk after it. Default 1s: what a power cut may cost.'),
  wear: rate
    .optional()
    .describe('Device writes; commits stretch to 10 s to keep it. Default 2GiB/d: ten years on a common card.'),
  budget: size.optional().describe('Disk for all of it. Default 2GiB: fits the smallest box beside the system.'),
  keep: keepBlock.optional().describe('How long, within the budget. Default: as its keys say.'),
  cut: z
    .strictObject({
      every: duration.optional().describe('Default 5s: live enough for a screen.'),
      samples: count(1, 100_000).optional().describe('Default 3600.'),
      bytes: size.optional().describe('Default 48KiB: the message limit of small brokers is 64.'),
    })
    .optional()
    .describe('When a telemetry batch is cut, whichever comes first. Default: as its keys say.'),
})

const tlsFiles = z.strictObject({
  ca: file.optional().describe('PEM file. Default: the system’s authorities.'),
  cert: file.optional().describe('PEM file with our certificate. Default: none; a password may do.'),
  key: secret.optional().describe('Our private key, with cert. Default: none.'),
})

const brokerBlock = z.strictObject({
  listen: z
    .array(url)
    .min(1)
    .max(8)
    .optional()
    .describe('mqtt://, mqtts:// or ws://, address and port. Default: none; a broker has either this or connect.'),
  tls: z
    .strictObject({
      cert: file,
      key: expecting(
        z.union([z.strictObject({ secret: secretName }), file]),
        'a reference {secret: NAME}, or the path of a 0600 file',
        '引用 {secret: 名称}，或权限为 0600 的文件路径',
      ),
      ca: file.optional().describe('Clients must show a certificate of this authority. Default: passwords are enough.'),
    })
    .optional()
    .describe('Certificate and key of mqtts://. Default: none, which mqtt:// and ws:// do with.'),
  connect: z
    .strictObject({
      server: url,
      username: label.optional().describe('Default: none, as its owner may want none.'),
      password: secret.optional().describe('Default: none, as its owner may want none.'),
    })
    .optional()
    .describe('Use a broker that stands on site already. Default: none; a broker has either this or listen.'),
  clients: z
    .record(
      id,
      z.strictObject({
        password: secret.optional().describe('Default: none, which only a broker on loopback accepts.'),
        publish: z.array(filter).max(64).optional().describe('Default: nothing.'),
        subscribe: z.array(filter).max(64).optional().describe('Default: nothing.'),
      }),
    )
    .optional()
    .describe('User name to what it may do. Default: none, and nobody else gets in.'),
})

const uplinkBlock = z.strictObject({
  dialect: expecting(
    z.enum(['native']),
    'native (sparkplug_b, thingsboard and others come with a later version)',
    'native（sparkplug_b、thingsboard 等后续版本才支持）',
  )
    .optional()
    .describe('Message shapes. Default native: numbers, proofs, resends.'),
  tenant: expecting(
    z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
    'a name of lower-case letters, digits, _ and -',
    '由小写字母、数字、_ 和 - 组成的名称',
  )
    .optional()
    .describe('First part of every topic. Default demo, for want of a contract.'),
  servers: z.array(url).min(1).max(8).describe('Tried in an order drawn at each start.'),
  username: label.optional().describe('Default: none; a certificate may do.'),
  password: secret.optional().describe('Default: none; a certificate may do.'),
  tls: tlsFiles.optional().describe('Default: the system’s authorities, and no certificate of our own.'),
  confirm: z
    .enum(['puback', 'e2e'])
    .optional()
    .describe(
      'What frees a batch: the broker’s PUBACK, or the consumer’s watermark. Default puback: every broker has it.',
    ),
  backfill: z
    .strictObject({
      rate: rate.optional().describe('Default 32KiB/s: a quarter of a poor 4G line.'),
      delay: duration.optional().describe('Default 30s: live data first, and a line that flaps is left alone.'),
    })
    .optional()
    .describe('How the backlog follows live data. Default: as its keys say.'),
  commands: z
    .strictObject({
      auth: z
        .enum(['jws', 'broker'])
        .optional()
        .describe('Who is believed: a signature, or for labs the broker. Default jws: a broker can be taken over.'),
      keys: z
        .record(
          id,
          z.strictObject({ key: file, allow: z.array(z.enum(['read', 'ack', 'write', 'config', 'diag', 'admin'])) }),
        )
        .optional()
        .describe('Key id to public key and what it may ask. Default: none, and nobody may ask.'),
    })
    .optional()
    .describe('Commands from the cloud come with a later version. Default: none are taken.'),
  budget: rate.optional().describe('Metered line: beyond it only alarms and heartbeat. Default: no limit.'),
  keepalive: duration.optional().describe('Default 30s: below the NAT time of mobile networks.'),
})

const busBlock = z.strictObject({
  wire,
  line: line.optional().describe('Serial setting. Default: what each device’s driver says.'),
  inFlight: count(1, 16)
    .optional()
    .describe('Requests in flight at once, modbus-tcp only. Default 1: many devices take only one.'),
  setTime: expecting(
    z.string().min(1).max(64),
    'a time as cron has it, such as "10 3 * * *"',
    'cron 时间表达式，如 "10 3 * * *"',
  )
    .optional()
    .describe(
      'When to broadcast the time to the DL/T 645 meters of this bus, in the site’s zone and only while the clock is trusted: ' +
        '"10 3 * * *" is every day at 03:10. Meters follow once a day and by 5 minutes at most. Default: never, the utility keeps their clocks.',
    ),
})

const inputLink = expecting(
  z.union([
    z.string().regex(/^[a-z][a-z0-9_]{0,63}\.[a-z][a-z0-9_]{0,63}$/),
    z.strictObject({
      from: expecting(
        z.string().regex(/^[a-z][a-z0-9_]{0,63}\.[a-z][a-z0-9_]{0,63}$/),
        'a point as device.point',
        '形如 设备.点 的点名',
      ),
      invert: flag.optional().describe('Swap true and false. Default false.'),
      debounce: duration.optional().describe('A change must last so long. Default: the driver’s, else 0ms.'),
    }),
  ]),
  'a point as device.point, or {from: device.point, invert, debounce}',
  '形如 设备.点 的点名，或 {from: 设备.点, invert, debounce}',
)

/** What one device of a family may say for itself. */
const ownShape = {
  bus: id.optional().describe('The bus it sits on. Default: none, as of devices that publish or are composed.'),
  address: address
    .optional()
    .describe(
      'Modbus unit, or the number of a meter in quotes, as leading zeros count. Default: none; what sits on a bus needs one.',
    ),
  topic: topic.optional().describe('Where it publishes. Default: none; what publishes needs one.'),
  line: line
    .optional()
    .describe('Its own line setting, where the wire can switch. Default: the bus’s, else the driver’s.'),
  name: text.optional().describe('For people. Default: the id.'),
  place: words.optional().describe('Where it stands: building, floor, room, … Default: unknown.'),
  tags: words.optional().describe('Free labels for the cloud. Default: none.'),
  params: z.record(id, scalar).optional().describe('What the driver lets a site set. Default: the driver’s values.'),
  polls: z.record(id, duration).optional().describe('Intervals of the driver, overridden. Default: the driver’s.'),
  modbus: modbusBlock.optional().describe('Limits and timing of the driver, overridden. Default: the driver’s.'),
  dlt645: dlt645Block.optional().describe('The same of a DL/T 645 meter. Default: the driver’s.'),
  cjt188: cjt188Block.optional().describe('The same of a CJ/T 188 meter. Default: the driver’s.'),
  mbus: mbusBlock.optional().describe('The same of an M-Bus meter. Default: the driver’s.'),
  textline: textlineBlock.optional().describe('What its lines look like. Default: as the driver says.'),
  points: z
    .record(id, pointBlock)
    .optional()
    .describe('Override or add any point key. Default: the driver’s points as they are.'),
  alarms: z
    .record(id, alarmBlock)
    .optional()
    .describe('Override, switch off or add alarms of the device. Default: the driver’s.'),
  freeze: flag
    .optional()
    .describe(
      'Of a meter: its counters as of midnight, and the settlements of DL/T 645-2007, are told as freeze events. Default true: bills want all meters at one moment, and it costs a read a day.',
    ),
  inputs: z
    .record(id, inputLink)
    .optional()
    .describe('Points that a composed device is made of. Default: none are connected.'),
} as const

export const memberBlock = z.strictObject(ownShape)

export const deviceBlock = z.strictObject({
  driver: driverName,
  ...ownShape,
  each: expecting(
    z.union([z.string().min(1).max(1024), z.record(id, memberBlock)]),
    'a CSV file, or a map of id: {address: …}',
    'CSV 文件，或 id: {address: …} 的映射',
  )
    .optional()
    .describe(
      'Many devices of one kind: a table with columns id, address, name, place.room, …, or a map. Default: this is one device.',
    ),
})

export const siteSchema = z.strictObject({
  site: siteBlock,
  gateway: gatewayBlock.optional().describe('Default: named as the site.'),
  language: z.enum(['en', 'zh']).optional().describe('Of the command line, after --lang and LANG. Default en.'),
  lab: flag.optional().describe('Allows literal secrets and unencrypted uplinks. Default false: never in a community.'),
  store: storeBlock.optional().describe('Default: as its keys say; made for the smallest box.'),
  broker: brokerBlock.optional().describe('The local MQTT broker. Default: none.'),
  uplinks: z.record(id, uplinkBlock).optional().describe('Cloud connections. Default: none; the site works alone.'),
  buses: z.record(id, busBlock).optional().describe('Wires. Default: none.'),
  devices: z.record(id, deviceBlock).optional().describe('Default: none.'),
  alarms: z
    .record(id, alarmBlock)
    .optional()
    .describe('Rules over several devices, or for this site only. Default: none.'),
})

export type SiteFile = z.infer<typeof siteSchema>
export type DeviceBlock = z.infer<typeof deviceBlock>
export type MemberBlock = z.infer<typeof memberBlock>
export type BusBlock = z.infer<typeof busBlock>
export type StoreBlock = z.infer<typeof storeBlock>
export type BrokerBlock = z.infer<typeof brokerBlock>
export type UplinkBlock = z.infer<typeof uplinkBlock>
export type SecretBlock = z.infer<typeof secret>

/** The JSON Schemas of `config/`, for editors: file name to text. A test holds the files to it (`npm test -- -u` writes them). */
export function printSchemas(): Readonly<Record<'site.schema.json' | 'driver.schema.json', string>> {
  return {
    'site.schema.json': print(siteSchema, 'Gatehouse site file (site.yaml)'),
    'driver.schema.json': print(driverSchema, 'Gatehouse driver (drivers/<category>/<model>.yaml)'),
  }
}

function print(schema: z.ZodType, title: string): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', reused: 'inline' })
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`
}
