/** Words of `scan`, of meters asked by hand, and of wires opened for that. Part of the one catalogue in text.ts. */
import type { Text } from '../model/point.ts'

export const SCAN_TEXT = {
  verbScan: {
    en: 'find devices on a bus or wire, and the lines for site.yaml',
    zh: '查找总线或线路上的设备，并给出 site.yaml 的配置行',
  },
  optYaml: { en: 'print the lines for site.yaml', zh: '输出 site.yaml 的配置行' },
  optScanLine: {
    en: 'only these line settings, such as "9600 8N1,2400 8E1"',
    zh: '只用这些线路参数，如 "9600 8N1,2400 8E1"',
  },
  optScanUnits: { en: 'Modbus units (1-247)', zh: 'Modbus 站号（1-247）' },
  optProtocol: { en: 'only these: modbus,dlt645,cjt188,mbus', zh: '只查找：modbus,dlt645,cjt188,mbus' },
  optFrom: { en: 'go on from this step', zh: '从第几步继续' },
  optMeter: { en: 'of a meter on a wire: dlt645, cjt188 or mbus', zh: '线路上的表计：dlt645、cjt188 或 mbus' },
  optAddress: { en: 'its number or address', zh: '表号或地址' },
  optField: { en: 'which quantity of a CJ/T 188 answer, such as total', zh: 'CJ/T 188 应答中的量，如 total' },
  probeMeterAddress: { en: 'say which meter: --address 000000000161', zh: '请指明表号：--address 000000000161' },
  probeMeterOnly: {
    en: '--expect and --keep are for registers: how a meter is read, its standard says',
    zh: '--expect 和 --keep 只用于寄存器：表计的读法由其标准规定',
  },
  probeMeterRefuses: { en: 'refused: {why}', zh: '拒绝：{why}' },
  probeMeterTook: { en: 'answered in {span}', zh: '应答用时 {span}' },
  colAddress: { en: 'ADDRESS', zh: '地址' },
  colLine: { en: 'LINE', zh: '线路参数' },
  badWireHint: {
    en: 'a wire is modbus-tcp://10.1.1.20, tcp://10.1.1.30:4196, or a serial port: gatehouse ports',
    zh: '线路写作 modbus-tcp://10.1.1.20、tcp://10.1.1.30:4196，或串口：gatehouse ports',
  },
  wireShut: { en: '{wire} cannot be opened: {why}', zh: '{wire} 打不开：{why}' },
  wireShutHint: {
    en: 'is the address right, is it powered, and is nobody else connected to it? many take one connection only',
    zh: '地址对吗？已上电吗？是否已有其他连接？很多设备只接受一个连接',
  },
  portGone: { en: '{wire}: there is no such port', zh: '{wire}：没有这个串口' },
  portGoneHint: { en: 'gatehouse ports lists those that there are', zh: '现有串口见 gatehouse ports' },
  portHeld: { en: '{wire} is held by {who}', zh: '{wire} 被占用：{who}' },
  portHeldHint: {
    en: 'stop it first; where it is this gateway, name the bus and its data directory: gatehouse scan BUS -d DIR',
    zh: '请先停止它；如果就是本网关，请改用总线名和数据目录：gatehouse scan BUS -d DIR',
  },
  portShutHint: {
    en: 'gatehouse ports says what it is and who holds it',
    zh: '用 gatehouse ports 查看它是什么、被谁占用',
  },
  badLine: {
    en: '"{text}" is no line setting: write it like "9600 8N1"',
    zh: '“{text}”不是线路参数：应写作 "9600 8N1"',
  },
  noBus: { en: 'there is no bus "{text}", and it is no wire', zh: '没有总线“{text}”，它也不是线路' },
  noBusHint: {
    en: 'there are {names}; or a wire, such as modbus-tcp://10.1.1.20',
    zh: '现有：{names}；或写线路，如 modbus-tcp://10.1.1.20',
  },
  scanWhich: { en: 'which one is to be searched?', zh: '查找哪一个？' },
  scanWhichHint: { en: 'one of {names}', zh: '可选：{names}' },
  badProtocol: { en: '"{text}" is none of {known}', zh: '“{text}”不在 {known} 之中' },
  badUnits: { en: '"{text}" are no units: write 1-32,40', zh: '“{text}”不是站号：应写作 1-32,40' },
  badStart: { en: '"{text}" is no step', zh: '“{text}”不是步数' },
  scanLive: {
    en: 'Searching {where} while nothing else is due there: {n} steps, {span} of its idle time at most. Ctrl-C stops.',
    zh: '利用 {where} 的空闲时间查找：{n} 步，最多用去 {span}空闲时间。Ctrl-C 停止。',
  },
  scanOwn: {
    en: 'Searching {where}: {n} steps, about {span}. Ctrl-C stops.',
    zh: '查找 {where}：{n} 步，约 {span}。Ctrl-C 停止。',
  },
  scanBusy: {
    en: '{where} has had no idle time for a while: the search goes on when it has. Poll less often; gatehouse buses shows the load',
    zh: '{where} 一直没有空闲时间：空闲时再继续查找。请降低轮询频率，负载见 gatehouse buses',
  },
  scanKnown: {
    en: 'Not asked again, since they are in the site file: {n}.',
    zh: '配置文件中已有、不再查找的设备：{n}。',
  },
  scanNone: { en: 'nothing is left to be asked there', zh: '没有需要查找的步骤' },
  scanNoneHint: {
    en: 'behind modbus-tcp:// there is Modbus only; meters stand behind tcp:// or a serial port',
    zh: 'modbus-tcp:// 上只有 Modbus；电表、水表在 tcp:// 或串口上',
  },
  scanStopped: { en: 'stopped; to go on: {command}', zh: '已停止；继续：{command}' },
  scanNobody: { en: 'Nobody answered.', zh: '没有设备应答。' },
  scanNobodyHint: {
    en: 'Check power, A/B, and whether another master holds the line; a serial server has its own line setting. gatehouse trace shows what comes.',
    zh: '检查供电、A/B 是否接反、是否有其他主站；串口服务器有自己的线路参数。gatehouse trace 可看收到了什么。',
  },
  scanSeveralFit: {
    en: 'one of {drivers}: no answer tells them apart. See the nameplate, and gatehouse drivers show',
    zh: '可能是其中之一：{drivers}。应答无法区分，请看铭牌，并参阅 gatehouse drivers show',
  },
  scanLikely: {
    en: 'likely {driver}: its values would be plausible, which is no proof. Compare one with the display',
    zh: '可能是 {driver}：数值合理，但不能证明。请与显示值核对一项',
  },
  scanOneOf: { en: 'one of {n}', zh: '{n} 种之一' },
  scanYamlSeveral: {
    en: 'one of these, no answer tells which: keep the line that fits the nameplate',
    zh: '以下之一，应答无法区分：请按铭牌保留一行',
  },
  scanYamlLikely: {
    en: '{id} is only likely to be that model: compare a value with its display',
    zh: '{id} 只是可能为该型号：请与其显示值核对一项',
  },
  scanNoise: {
    en: '{at}: bytes come although nobody was asked: another master, another setting, A/B swapped or noise. Nothing is searched with this setting',
    zh: '{at}：未询问也收到字节：有其他主站、线路参数不对、A/B 接反或干扰。不再用该参数查找',
  },
  scanNarrowing: {
    en: '{at}: several meters answer at once; their numbers are sought by their digits, minutes for each two',
    zh: '{at}：多块表同时应答；正逐位查找表号，每两位需几分钟',
  },
  scanFitting: { en: '{at} answers: which driver fits?', zh: '{at} 有应答：正在比对驱动' },
  scanNoDriver: { en: 'none fits', zh: '无匹配驱动' },
  scanHow: { en: 'Lines for site.yaml: {command}', zh: 'site.yaml 配置行：{command}' },
  scanYamlUnder: { en: 'to be added under {key}:', zh: '加到 {key}: 下' },
  scanYamlOthers: { en: 'would fit, too: {drivers}', zh: '也匹配：{drivers}' },
  scanYamlUnknown: {
    en: '{protocol} device that no driver recognises: gatehouse drivers, gatehouse probe',
    zh: '没有驱动能识别的 {protocol} 设备：gatehouse drivers、gatehouse probe',
  },
  scanGarbled: {
    en: '{at}: bytes that are no frame: wrong line setting, A/B swapped, or two devices with one address',
    zh: '{at}：收到的字节不成帧：线路参数不对、A/B 接反，或两台设备地址相同',
  },
  scanSeveral: {
    en: '{at}: several meters answer at once, and this protocol cannot tell them apart: connect one at a time, or take their numbers from the labels',
    zh: '{at}：多块表同时应答，该协议无法区分：请逐块接入，或按铭牌填写表号',
  },
  scanAny: {
    en: 'it answers whatever unit is asked for: one device, shown as unit {at}',
    zh: '任何站号都有应答：是同一台设备，按站号 {at} 列出',
  },
  scanUnnamed: {
    en: '{at}: a meter answers and does not tell its number: take it from the label',
    zh: '{at}：有电表应答但不报表号：请按铭牌填写',
  },
} as const satisfies Readonly<Record<string, Text>>
