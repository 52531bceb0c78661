/**
 * Alarms that every site has. Nobody writes their conditions: those who see the facts say so (`Board.setFact`), keyed by rule id,
 * as `device_offline.pump_1` or `disk_full`.
 */
import type { Priority, Rule } from '../model/alarm.ts'
import type { Text } from '../model/point.ts'
import type { Device, Site } from '../model/site.ts'

export type BuiltinKind =
  | 'device_offline'
  | 'bus_offline'
  | 'identity_mismatch'
  | 'uplink_undelivered'
  | 'identity_in_use'
  | 'storage_suspect'
  | 'disk_full'
  | 'clock_untrusted'
  | 'certificate_expiring'

type Template = {
  readonly priority: Priority
  readonly onDelayMs: number
  readonly offDelayMs: number
  /** `{name}` is the device, bus or uplink. */
  readonly text: Text
  readonly advice: Text
}

export const BUILTIN: Readonly<Record<BuiltinKind, Template>> = {
  device_offline: {
    priority: 'medium',
    // Longer than a bus takes to be found dead: then its one alarm stands for all its devices.
    onDelayMs: 15_000,
    offDelayMs: 5_000,
    text: { en: '{name} does not answer', zh: '{name} 无应答' },
    advice: {
      en: "Check the device's power, its wiring and its address; on RS-485 also polarity and terminators",
      zh: '检查设备电源、接线和地址；RS-485 还应检查极性和终端电阻',
    },
  },
  bus_offline: {
    priority: 'high',
    onDelayMs: 5_000,
    offDelayMs: 5_000,
    text: { en: 'Bus {name} is down: none of its devices can be read', zh: '总线 {name} 中断：其下设备均无法读取' },
    advice: {
      en: 'Check the serial adapter or the network path to the serial server, its power and its settings',
      zh: '检查串口适配器或到串口服务器的网络、其电源和参数',
    },
  },
  identity_mismatch: {
    priority: 'high',
    onDelayMs: 0,
    offDelayMs: 0,
    text: { en: '{name} is not the device that was here', zh: '{name} 的身份与原设备不符' },
    advice: {
      en: 'If it was replaced on purpose confirm the swap; else check addresses: another device may answer in its place',
      zh: '如属正常更换请确认；否则检查地址，可能是其他设备在应答',
    },
  },
  uplink_undelivered: {
    priority: 'high',
    onDelayMs: 0,
    offDelayMs: 0,
    text: {
      en: 'Uplink {name}: the broker takes our data, nobody receives it',
      zh: '上行 {name}：服务器已接收但无人订阅',
    },
    advice: {
      en: 'Check the ingest service and its subscription on the cloud side; nothing is lost meanwhile',
      zh: '检查云端接入服务及其订阅；期间数据不会丢失',
    },
  },
  identity_in_use: {
    priority: 'high',
    onDelayMs: 0,
    offDelayMs: 60_000,
    text: { en: 'Uplink {name}: another gateway uses our identity', zh: '上行 {name}：另有网关使用本机身份' },
    advice: {
      en: 'Two boxes have the same gateway id: a cloned disk or a copied site file. Give one of them its own id',
      zh: '两台设备使用了相同的网关编号（克隆磁盘或复制了配置）。请为其中一台更换编号',
    },
  },
  storage_suspect: {
    priority: 'high',
    onDelayMs: 0,
    offDelayMs: 0,
    text: { en: 'Storage is suspect', zh: '存储介质可疑' },
    advice: {
      en: 'Back up and replace the card or disk; what was lost has been declared to the cloud',
      zh: '请备份并更换存储卡或磁盘；已丢失的数据已向云端申报',
    },
  },
  disk_full: {
    priority: 'high',
    onDelayMs: 0,
    offDelayMs: 60_000,
    text: { en: 'The disk is full', zh: '磁盘已满' },
    advice: {
      en: 'Free space on the data disk. Alarms are still kept; the oldest telemetry is given up and declared',
      zh: '请清理数据盘。告警仍可保存，最旧的遥测数据将被舍弃并申报',
    },
  },
  clock_untrusted: {
    priority: 'medium',
    onDelayMs: 600_000,
    offDelayMs: 0,
    text: { en: 'The clock is not synchronised', zh: '时钟未同步' },
    advice: {
      en: 'Check the time server (NTP) and the way to it; a box without a clock battery needs it after each power cut',
      zh: '检查时间服务器（NTP）及网络；无时钟电池的设备每次断电后都需要对时',
    },
  },
  certificate_expiring: {
    priority: 'medium',
    onDelayMs: 0,
    offDelayMs: 0,
    text: { en: 'The certificate of {name} expires soon or cannot be read', zh: '{name} 的证书即将过期或无法读取' },
    advice: {
      en: 'Renew the certificate before it expires; gatehouse check says where a damaged one is written',
      zh: '请在过期前更新证书；证书损坏时可用 gatehouse check 查看位置',
    },
  },
}

/** Other delays than the defaults, for tests and demos. */
export type BuiltinDelays = Partial<Record<BuiltinKind, { readonly onDelayMs: number; readonly offDelayMs: number }>>

export function builtinId(kind: BuiltinKind, of: string | null): string {
  return of === null ? kind : `${kind}.${of}`
}

export type BuiltinRule = {
  readonly rule: Rule
  readonly kind: BuiltinKind
  /** Index of the bus that it concerns; null: none. */
  readonly bus: number | null
}

export function builtinRules(
  site: Pick<Site, 'devices' | 'buses' | 'uplinks' | 'broker'>,
  delays: BuiltinDelays = {},
): readonly BuiltinRule[] {
  const make = (kind: BuiltinKind, of: string | null, name: Text | null, device: number | null = null): Rule => {
    const template = BUILTIN[kind]
    const fill = (text: string, language: 'en' | 'zh'): string => text.replace('{name}', () => name?.[language] ?? '')
    return {
      id: builtinId(kind, of),
      device,
      when: '',
      onDelayMs: delays[kind]?.onDelayMs ?? template.onDelayMs,
      offDelayMs: delays[kind]?.offDelayMs ?? template.offDelayMs,
      latch: false,
      priority: template.priority,
      text: { en: fill(template.text.en, 'en'), zh: fill(template.text.zh, 'zh') },
      advice: template.advice,
      do: [],
    }
  }
  const plain = (id: string): Text => ({ en: id, zh: id })
  const rules: BuiltinRule[] = []
  for (const bus of site.buses) {
    rules.push({ rule: make('bus_offline', bus.id, plain(bus.id)), kind: 'bus_offline', bus: bus.index })
  }
  for (const device of site.devices) {
    if (device.link.kind === 'composed') continue
    for (const kind of ['device_offline', 'identity_mismatch'] as const) {
      rules.push({ rule: make(kind, device.id, nameOf(device), device.index), kind, bus: busOf(device) })
    }
  }
  for (const uplink of site.uplinks) {
    for (const kind of ['uplink_undelivered', 'identity_in_use', 'certificate_expiring'] as const) {
      rules.push({ rule: make(kind, uplink.id, plain(uplink.id)), kind, bus: null })
    }
  }
  if (site.broker?.tls) {
    const name = { en: 'the local broker', zh: '本地代理' }
    rules.push({ rule: make('certificate_expiring', 'broker', name), kind: 'certificate_expiring', bus: null })
  }
  for (const kind of ['storage_suspect', 'disk_full', 'clock_untrusted'] as const) {
    rules.push({ rule: make(kind, null, null), kind, bus: null })
  }
  return rules
}

function busOf(device: Device): number | null {
  return device.link.kind === 'bus' || device.link.kind === 'lines' ? device.link.bus : null
}

/** What speaks against a device's identity; `expected` null: nobody says any more what it should be. */
export function answersAsText(other: string, expected: string | null): Text {
  return expected === null
    ? { en: `answers as ${other}`, zh: `应答地址为 ${other}` }
    : { en: `answers as ${other}, expected ${expected}`, zh: `应答地址为 ${other}，应为 ${expected}` }
}

/** A device without a name of its own is called by its id. */
function nameOf(device: Device): Text {
  return { en: device.name.en || device.id, zh: device.name.zh || device.id }
}
