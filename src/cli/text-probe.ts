/** Words of `probe`. Part of the one catalogue in text.ts. */
import type { Text } from '../model/point.ts'

export const PROBE_TEXT = {
  verbProbe: {
    en: 'read registers by hand; --expect finds what the display shows',
    zh: '手工读取寄存器；--expect 找出与显示一致的读法',
  },
  optUnit: { en: 'unit number, on a wire', zh: '站号（直接用线路时）' },
  optLine: { en: 'line setting, such as "9600 8N1"', zh: '线路参数，如 "9600 8N1"' },
  optAscii: { en: 'Modbus ASCII in place of RTU', zh: '使用 Modbus ASCII 而非 RTU' },
  optAs: { en: 'only this type: u16 s16 u32 s32 f32 bits …', zh: '只按此类型：u16 s16 u32 s32 f32 bits …' },
  optOrder: { en: 'byte order, with --as and --keep', zh: '字节序，与 --as、--keep 同用' },
  optCount: { en: 'how many registers or bits', zh: '寄存器或位的个数' },
  optExpect: { en: 'what the display shows', zh: '仪表显示的值' },
  optKeep: { en: 'write the reading into the site file', zh: '把读法写入配置文件' },
  optPick: { en: 'which of the list to keep (1)', zh: '保留列表中的第几个（1）' },
  colNo: { en: 'NO', zh: '序号' },
  colAt: { en: 'AT', zh: '位置' },
  colAs: { en: 'AS', zh: '类型' },
  colOrder: { en: 'ORDER', zh: '字节序' },
  colScale: { en: 'SCALE', zh: '倍率' },
  colOff: { en: 'OFF BY', zh: '偏差' },
  colAlike: { en: 'SAME AS', zh: '等同' },
  probeNothing: {
    en: 'no reading of these registers comes near {expect}',
    zh: '这些寄存器没有任何读法接近 {expect}',
  },
  probeNothingHint: {
    en: 'Look at the display again, or try the address of another quantity.',
    zh: '请再核对显示值，或换一个量的地址。',
  },
  probeZero: {
    en: 'Zero reads as zero in every way: try while the display shows something else.',
    zh: '零按任何读法都是零：请在显示值不为零时再试。',
  },
  probeTimeoutHint: {
    en: 'check power, wiring, unit number and line setting; gatehouse scan WIRE finds who answers',
    zh: '检查供电、接线、站号和线路参数；gatehouse scan 线路 可查找应答者',
  },
  probeFailed: { en: '{target} {at}: {cause}', zh: '{target} {at}：{cause}' },
  probeUnit: { en: 'on a wire, say which unit: --unit 1', zh: '直接用线路时请指明站号：--unit 1' },
  probeNumber: { en: '{option} takes {wanted}, not {text}', zh: '{option} 应为 {wanted}，而不是 {text}' },
  probeKeepWhat: { en: '--keep wants --expect VALUE or --as TYPE', zh: '--keep 需要 --expect 值 或 --as 类型' },
  probeKeepBit: {
    en: '--keep keeps one bit: name it, such as --as "bit 5"',
    zh: '--keep 只保留一位：请指明，如 --as "bit 5"',
  },
  probeKeepForm: { en: '--keep takes DEVICE.POINT, not {text}', zh: '--keep 应为 设备.点，而不是 {text}' },
  probeKeepDevice: { en: '{file} has no entry {device} under devices', zh: '{file} 的 devices 下没有 {device}' },
  probeKeepDeviceHint: {
    en: 'there are {known}; of a family (each:) the name of the family serves all of it',
    zh: '现有：{known}；同族设备（each:）请用族名，对全族生效',
  },
  probeKeepRefused: {
    en: '{file} would not be sound with it; nothing was changed',
    zh: '写入后 {file} 将无效；未做改动',
  },
  probeKept: {
    en: '{point} is now {block} in {file}; gatehouse reload takes it over',
    zh: '{file} 中 {point} 现为 {block}；用 gatehouse reload 使其生效',
  },
  probePick: { en: 'there is no number {n} in this list', zh: '列表中没有第 {n} 个' },
  siteUnsound: { en: '{file} has errors', zh: '{file} 有错误' },
  siteUnsoundHint: { en: 'gatehouse check -c {file} names them', zh: '用 gatehouse check -c {file} 查看' },
  probeWire: { en: '{wire} is no wire that can be opened here', zh: '{wire} 不是可打开的线路' },
} as const satisfies Readonly<Record<string, Text>>
