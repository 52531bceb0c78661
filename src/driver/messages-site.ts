/** What `check` may say of a site file and its tables. They stand beside the drivers' because there is one list of findings. */
import type { Text } from '../model/point.ts'
import { among, apart, meant, type Near, say } from './say.ts'

const GROUP_EXAMPLES: Readonly<Record<string, string>> = {
  place: 'place.room',
  tags: 'tags.house',
  params: 'params.limit',
  inputs: 'inputs.running',
}

export const SITE = {
  // Wires, buses, addresses
  comPort: say((p: { wire: string }) => [
    `wire ${p.wire} is a Windows name: write the stable path of the port, /dev/serial/by-path/… (gatehouse ports lists them)`,
    `wire ${p.wire} 是 Windows 串口名：请写稳定的设备路径 /dev/serial/by-path/…（可用 gatehouse ports 查看）`,
  ]),
  portUnstable: say((p: { wire: string }) => [
    `wire ${p.wire} is whichever adapter is found first: after a restart it may be another one, and its devices pass for these; write its stable path, /dev/serial/by-path/… (gatehouse ports lists them)`,
    `wire ${p.wire} 是系统最先找到的转换器：重启后可能换成另一个，其设备会被当成这里的设备；请写稳定的设备路径 /dev/serial/by-path/…（可用 gatehouse ports 查看）`,
  ]),
  badWire: say((p: { wire: string }) => [
    `wire ${p.wire} is none of modbus-tcp://host[:port], tcp://host:port, /dev/…`,
    `wire ${p.wire} 应为 modbus-tcp://主机[:端口]、tcp://主机:端口 或 /dev/…`,
  ]),
  wireTwice: say((p: { bus: string; other: string }) => [
    `bus ${p.bus} uses the wire of bus ${p.other}: one wire has one master; put the devices on one bus`,
    `总线 ${p.bus} 与 ${p.other} 使用同一线路：一条线路只能有一个主站，请合并为一条总线`,
  ]),
  lineOnTcp: say((p: { where: string }) => [
    `${p.where}: modbus-tcp has no line setting: remove line`,
    `${p.where}：modbus-tcp 没有串口参数：请删除 line`,
  ]),
  lineFixed: say((p: { device: string; line: string; bus: string; fixed: string }) => [
    `${p.device} wants ${p.line}, but the serial server of bus ${p.bus} stays at ${p.fixed}: set the device to that, or use another bus`,
    `${p.device} 需要 ${p.line}，但总线 ${p.bus} 的串口服务器固定为 ${p.fixed}：请修改设备设置或换一条总线`,
  ]),
  inFlight: say(() => [
    'inFlight above 1 is for modbus-tcp only: on a line one device speaks at a time',
    'inFlight 大于 1 仅适用于 modbus-tcp：串行线路同时只能有一个设备通信',
  ]),
  badCron: say((p: { written: string }) => [
    `setTime ${p.written} is no time: write minute, hour, day, month and weekday, such as "10 3 * * *"`,
    `setTime ${p.written} 不是有效时间：请写 分 时 日 月 周，如 "10 3 * * *"`,
  ]),
  setTimeUnheard: say((p: { bus: string }) => [
    `setTime: bus ${p.bus} has no DL/T 645 meter, and nothing else hears the time: remove it`,
    `setTime：总线 ${p.bus} 上没有 DL/T 645 电表，其他设备不接收广播校时：请删除`,
  ]),
  unknownBus: say((p: { bus: string; near: Near; known: readonly string[] }) => [
    `there is no bus ${p.bus}${meant(p.near).en || among(p.known).en}`,
    `没有总线 ${p.bus}${meant(p.near).zh || among(p.known).zh}`,
  ]),
  keyMissing: say((p: { device: string; key: string; why: 'bus' | 'topic' }) =>
    p.why === 'bus'
      ? [`${p.device} needs ${p.key}: its driver reads it over a bus`, `${p.device} 缺少 ${p.key}：其驱动通过总线读取`]
      : [
          `${p.device} needs ${p.key}: its driver listens to what it publishes`,
          `${p.device} 缺少 ${p.key}：其驱动订阅设备发布的消息`,
        ],
  ),
  keyUnfit: say((p: { device: string; key: string; driver: string }) => [
    `${p.device}: driver ${p.driver} has no use for ${p.key}: remove it`,
    `${p.device}：驱动 ${p.driver} 不使用 ${p.key}：请删除`,
  ]),
  addressNumber: say((p: { written: string; quoted: string }) => [
    `address ${p.written} is a number: quote it, "${p.quoted}"`,
    `address ${p.written} 是数字：请加引号，写作 "${p.quoted}"`,
  ]),
  addressRuined: say((p: { column: string; written: string }) => [
    `${p.column} ${p.written} was ruined by a spreadsheet: set the column to text`,
    `${p.column} ${p.written} 已被电子表格改写：请将该列设为文本格式`,
  ]),
  addressBad: say((p: { written: string }) => [
    `address ${p.written} is no Modbus unit: write a whole number, 1 to 247`,
    `address ${p.written} 不是 Modbus 从站地址：应为 1 到 247 的整数`,
  ]),
  addressBroadcast: say(() => [
    'address 0 is broadcast: no device answers to it; write its own, 1 to 247',
    'address 0 是广播地址，设备不会应答：请写设备自身地址 1 到 247',
  ]),
  addressReserved: say((p: { written: string }) => [
    `address ${p.written} is reserved (248 to 255): only some modbus-tcp devices answer to it`,
    `address ${p.written} 为保留地址（248 到 255）：仅部分 modbus-tcp 设备使用`,
  ]),
  addressUnfit: say((p: { why: Text }) => [p.why.en, p.why.zh]),
  protocolWire: say((p: { device: string; protocol: string; wire: string }) => [
    `${p.device} speaks ${p.protocol}, which does not run on ${p.wire}: it wants a serial port or tcp://host:port`,
    `${p.device} 使用 ${p.protocol} 协议，不能接在 ${p.wire} 上：应使用串口或 tcp://主机:端口`,
  ]),
  linesWire: say((p: { device: string; wire: string }) => [
    `${p.device} prints lines, which ${p.wire} does not carry: use a serial port or tcp://host:port`,
    `${p.device} 输出文本行，${p.wire} 不支持：请用串口或 tcp://主机:端口`,
  ]),
  linesAddress: say((p: { device: string; wanted: boolean }) =>
    p.wanted
      ? [
          `${p.device} needs address: what its lines have in the place that the driver calls id`,
          `${p.device} 缺少 address：即驱动中 id 所指位置的内容`,
        ]
      : [
          `${p.device}: the driver knows no id in its lines, so there is no address; remove it`,
          `${p.device}：驱动的行中没有 id，不应有 address；请删除`,
        ],
  ),
  linesMixed: say((p: { device: string; other: string; bus: string }) => [
    `${p.device} wants to be asked on bus ${p.bus}, where ${p.other} prints lines unasked: give each a wire of its own`,
    `${p.device} 需要轮询，而总线 ${p.bus} 上的 ${p.other} 主动输出文本行：请分接两条线路`,
  ]),
  linesForm: say((p: { device: string; other: string; bus: string }) => [
    `${p.device} and ${p.other} share bus ${p.bus}, and their lines end or are set differently`,
    `${p.device} 与 ${p.other} 共用总线 ${p.bus}，但行结束符或串口参数不同`,
  ]),
  linesAlone: say((p: { device: string; other: string; bus: string }) => [
    `${p.device} and ${p.other} share bus ${p.bus}, and nothing in their lines tells them apart`,
    `${p.device} 与 ${p.other} 共用总线 ${p.bus}，但行内容无法区分两者`,
  ]),
  addressTwice: say((p: { device: string; other: string; address: string; bus: string }) => [
    `${p.device} has address ${p.address} on bus ${p.bus}, and so has ${p.other}`,
    `${p.device} 与 ${p.other} 在总线 ${p.bus} 上的地址均为 ${p.address}`,
  ]),
  topicTwice: say((p: { device: string; other: string; topic: string }) => [
    `${p.device} is heard at ${p.topic}, and so is ${p.other} with the same driver: they would be one device counted twice; give it its own topic`,
    `${p.device} 与 ${p.other} 的驱动和主题 ${p.topic} 相同：同一设备会被计两次；请写它自己的主题`,
  ]),
  brokerMissing: say((p: { device: string }) => [
    `${p.device} publishes, and there is no broker for it: add broker: {listen: ["mqtt://127.0.0.1:1883"]}`,
    `${p.device} 通过 MQTT 发布数据，但没有 broker：请添加 broker: {listen: ["mqtt://127.0.0.1:1883"]}`,
  ]),
  // Devices, families, inputs
  deviceTwice: say((p: { device: string; where: string }) => [
    `device ${p.device} is there twice: also at ${p.where}`,
    `设备 ${p.device} 重复：另见 ${p.where}`,
  ]),
  nameTaken: say((p: { id: string }) => [
    `${p.id} is the name of a built-in alarm: choose another`,
    `${p.id} 是内置报警的名称：请换一个`,
  ]),
  unknownInput: say((p: { device: string; input: string; near: Near; known: readonly string[] }) => [
    `${p.device}: its driver has no input ${p.input}${meant(p.near).en || among(p.known).en}`,
    `${p.device}：其驱动没有输入 ${p.input}${meant(p.near).zh || among(p.known).zh}`,
  ]),
  inputMissing: say((p: { device: string; input: string }) => [
    `${p.device} needs input ${p.input}: connect it to a point`,
    `${p.device} 必须连接输入 ${p.input}`,
  ]),
  inputType: say((p: { input: string; wanted: Text; from: string; got: Text }) => [
    `input ${p.input} takes ${p.wanted.en}, and ${p.from} gives ${p.got.en}`,
    `输入 ${p.input} 需要${p.wanted.zh}，而 ${p.from} 为${p.got.zh}`,
  ]),
  outputNotWritable: say((p: { input: string; from: string }) => [
    `${p.input} is an output, and ${p.from} cannot be written: connect a relay, or a point that its driver marks write`,
    `${p.input} 是输出，但 ${p.from} 不可写：请连接继电器，或其驱动标记了 write 的点`,
  ]),
  inputCircle: say((p: { point: string }) => [`${p.point} comes from itself in a circle`, `${p.point} 循环引用自身`]),
  unknownDevice: say((p: { where: string; device: string; near: Near }) => [
    `${p.where} names ${p.device}, and there is no such device${meant(p.near).en}`,
    `${p.where} 中的设备 ${p.device} 不存在${meant(p.near).zh}`,
  ]),
  unknownDevicePoint: say((p: { where: string; device: string; point: string; near: Near }) => [
    `${p.where}: ${p.device} has no point ${p.point}${meant(p.near).en}`,
    `${p.where}：${p.device} 没有点 ${p.point}${meant(p.near).zh}`,
  ]),
  outputBare: say((p: { write: string }) => [
    `write: ${p.write} must name a device: device.point`,
    `write: ${p.write} 应写明设备：设备.点`,
  ]),
  outputValue: say((p: { point: string; wanted: Text; value: string }) => [
    `${p.point} takes ${p.wanted.en}, not ${p.value}`,
    `${p.point} 需要${apart(p.wanted.zh)}，而不是 ${p.value}`,
  ]),
  familyEmpty: say((p: { family: string }) => [
    `${p.family} has each: and no device in it: write id: {address: …} for each, or leave each out`,
    `${p.family} 写了 each 但其中没有设备：请逐台写 id: {address: …}，或删除 each`,
  ]),
  // Tables
  tableMissing: say((p: { path: string }) => [
    `there is no table ${p.path}: its path counts from the folder of the site file`,
    `表格 ${p.path} 不存在：路径以站点文件所在目录为起点`,
  ]),
  tableGbk: say(() => ['is GBK and was read as such; UTF-8 is safer', '编码为 GBK，已按 GBK 读取；建议改存为 UTF-8']),
  tableEmpty: say(() => [
    'has no rows: write a header (id,address,…) and a line for each device',
    '没有数据行：请写表头（id,address,…）并为每台设备写一行',
  ]),
  tableNoId: say(() => ['has no column id', '没有 id 列']),
  tableSeparator: say((p: { char: string }) => [
    `its columns are separated by ${p.char === '\t' ? 'tabs' : p.char}: save it with commas`,
    `以${p.char === '\t' ? '制表符' : ` ${p.char} `}分隔各列：请保存为逗号分隔`,
  ]),
  tableColumn: say((p: { column: string; near: Near }) => [
    `unknown column ${p.column}${meant(p.near).en || ': id address name bus line topic place.… tags.… params.… inputs.…'}`,
    `未知的列 ${p.column}${meant(p.near).zh || '：可用 id address name bus line topic place.… tags.… params.… inputs.…'}`,
  ]),
  tableGroup: say((p: { column: string }) => [
    `column ${p.column} needs to say which: ${p.column}.NAME, such as ${GROUP_EXAMPLES[p.column] ?? 'place.room'}`,
    `列 ${p.column} 需写明是哪一项：${p.column}.名称，如 ${GROUP_EXAMPLES[p.column] ?? 'place.room'}`,
  ]),
  tableColumnTwice: say((p: { column: string }) => [`column ${p.column} is there twice`, `列 ${p.column} 重复`]),
  tableWide: say((p: { cells: number; columns: number }) => [
    `has ${p.cells} cells where the header has ${p.columns}: a comma within a text needs quotes around the text`,
    `有 ${p.cells} 个单元格，而表头为 ${p.columns} 列：含逗号的文本需加引号`,
  ]),
  tableQuote: say(() => ['this quote is never closed', '此引号没有闭合']),
  tableRuined: say((p: { column: string; written: string }) => [
    `${p.column} holds ${p.written}, an error of the spreadsheet`,
    `${p.column} 的内容为电子表格错误值 ${p.written}`,
  ]),
  // Secrets, broker, uplinks, store
  secretLiteral: say((p: { where: string }) => [
    `${p.where} is written in clear: write {secret: NAME} and store it by gatehouse secret set NAME (a lab may say lab: true)`,
    `${p.where} 为明文：请写 {secret: 名称}，并用 gatehouse secret set 名称 保存（仅实验环境可写 lab: true）`,
  ]),
  secretMissing: say((p: { name: string; path: string }) => [
    `secret ${p.name} is not there: gatehouse secret set ${p.name} writes ${p.path}`,
    `缺少密钥 ${p.name}：请用 gatehouse secret set ${p.name} 写入 ${p.path}`,
  ]),
  secretMode: say((p: { name: string; path: string; mode: string }) => [
    `secret ${p.name}: others may read ${p.path} (mode ${p.mode}): chmod 600`,
    `密钥 ${p.name}：其他用户可读 ${p.path}（权限 ${p.mode}）：请执行 chmod 600`,
  ]),
  secretUnreadable: say((p: { name: string; why: Text }) => [
    `secret ${p.name} cannot be read: ${p.why.en}`,
    `密钥 ${p.name} 无法读取：${p.why.zh}`,
  ]),
  pem: say((p: { path: string; why: Text }) => [`${p.path}: ${p.why.en}`, `${p.path}：${p.why.zh}`]),
  badUrl: say((p: { url: string; wanted: string }) => [
    `${p.url} is no address: write ${p.wanted}`,
    `${p.url} 不是有效地址：应为 ${p.wanted}`,
  ]),
  urlSecret: say(() => [
    'a password within an address ends up in logs: use username: and password:',
    '地址中的密码会出现在日志里：请用 username: 和 password:',
  ]),
  urlBeyond: say((p: { beyond: string; scheme: string }) => [
    `${p.scheme}:// ends with the port: remove ${p.beyond}`,
    `${p.scheme}:// 地址到端口为止：请删除 ${p.beyond}`,
  ]),
  unencrypted: say((p: { url: string }) => [
    `${p.url} leaves this machine unencrypted: use mqtts:// (a lab may say lab: true)`,
    `${p.url} 未加密且不在本机：请用 mqtts://（仅实验环境可写 lab: true）`,
  ]),
  anonymous: say((p: { client: string }) => [
    `client ${p.client} has no password, and the broker listens beyond loopback: give it one`,
    `客户端 ${p.client} 没有密码，而 broker 不仅监听本机：请设置密码`,
  ]),
  brokerForm: say(() => [
    'broker needs exactly one of listen (its own) and connect (one that stands on site)',
    'broker 需要且只能有 listen（自带）与 connect（现场已有）之一',
  ]),
  listenTwice: say((p: { address: string }) => [
    `the broker listens on ${p.address} already: give each listener a port of its own`,
    `broker 已在 ${p.address} 监听：请为每个监听地址使用不同端口`,
  ]),
  clientsElsewhere: say(() => [
    'clients are those of our own broker; who may use the one at connect is said there: remove clients',
    'clients 只用于自带的 broker；connect 所指的 broker 自行管理客户端：请删除 clients',
  ]),
  keyMode: say((p: { path: string; mode: string }) => [
    `others may read the private key ${p.path} (mode ${p.mode}): chmod 600`,
    `其他用户可读私钥 ${p.path}（权限 ${p.mode}）：请执行 chmod 600`,
  ]),
  brokerTls: say(() => ['mqtts:// needs tls: {cert, key}', 'mqtts:// 需要 tls: {cert, key}']),
  confirmLater: say(() => [
    'confirm: e2e comes with a later version, until then nothing would ever be freed: write puback, or leave confirm out',
    'confirm: e2e 后续版本才支持，在此之前数据永远不会释放：请写 puback，或删除 confirm',
  ]),
  commandsLater: say(() => [
    'commands from the cloud come with a later version: nothing is subscribed yet',
    '云端命令后续版本才支持：目前不会订阅',
  ]),
  timezone: say((p: { zone: string }) => [
    `${p.zone} is no time zone: write an IANA name such as Asia/Shanghai`,
    `${p.zone} 不是时区：请写 IANA 名称，如 Asia/Shanghai`,
  ]),
  amountRange: say((p: { where: string; min: string; max: string }) => [
    `${p.where} must lie between ${p.min} and ${p.max}`,
    `${p.where} 应在 ${p.min} 与 ${p.max} 之间`,
  ]),
  auditShort: say((p: { keep: string }) => [
    `store.keep.audit is ${p.keep}: below the 180 days that auditors ask for`,
    `store.keep.audit 为 ${p.keep}：低于审计要求的 180 天`,
  ]),
  pollsLate: say((p: { message: Text }) => [p.message.en, p.message.zh]),
  busOverloaded: say((p: { bus: string; percent: number; cycle: string }) => [
    `bus ${p.bus} cannot keep its poll intervals: they ask for ${p.percent} % of its time, a round takes ${p.cycle}; poll slower or split the bus`,
    `总线 ${p.bus} 无法满足轮询间隔：占用 ${p.percent}%，一轮需 ${p.cycle}；请放慢轮询或拆分总线`,
  ]),
} as const
