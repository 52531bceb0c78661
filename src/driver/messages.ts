/**
 * Everything that `check` may say, in both languages: what is wrong, and what to do. One line each; the place stands before it.
 */
import type { Text } from '../model/point.ts'
import { SITE } from './messages-site.ts'
import { among, apart, meant, type Near, say } from './say.ts'

/** The file itself. */
const FILES = {
  unreadable: say((p: { why: Text }) => [`cannot be read: ${p.why.en}`, `无法读取：${p.why.zh}`]),
  notAFile: say(() => ['is not a file', '不是文件']),
  tooLarge: say((p: { size: string; max: string }) => [
    `is ${p.size}, more than ${p.max}: is this the right file? Many devices of one kind belong in a table (each: devices.csv)`,
    `大小为 ${p.size}，超过 ${p.max}：文件是否选错？同类设备较多时请用表格（each: devices.csv）`,
  ]),
  empty: say(() => [
    'is empty: write at least what the file is about (a site file: site, buses, devices)',
    '文件为空：至少应写明内容（站点文件：site、buses、devices）',
  ]),
  binary: say((p: { offset: number }) => [
    `is not a text file: it has a zero byte at offset ${p.offset}`,
    `不是文本文件：偏移 ${p.offset} 处有零字节`,
  ]),
  utf16: say(() => ['is UTF-16: save it as UTF-8', '编码为 UTF-16：请另存为 UTF-8']),
  gbk: say(() => ['is GBK, not UTF-8: save it as UTF-8', '编码为 GBK 而非 UTF-8：请另存为 UTF-8']),
  notUtf8: say(() => ['is not UTF-8 text', '不是 UTF-8 文本']),
  tab: say(() => ['a tab indents here: YAML wants spaces', '此处用制表符缩进：YAML 只允许空格']),
  bang: say(() => [
    'a value that begins with ! must be quoted, or YAML takes it for a tag: when: "!a && !b"',
    '以 ! 开头的值必须加引号，否则 YAML 会当作标签：when: "!a && !b"',
  ]),
  duplicateKey: say((p: { key: string }) => [
    `${p.key} is written twice here: keep one`,
    `${p.key} 在此处重复出现：请只保留一个`,
  ]),
  severalDocuments: say(() => ['a second document begins here: remove the ---', '此处开始第二个文档：请删除 ---']),
  tooDeep: say(() => ['is nested far too deep', '嵌套层数过多']),
  colonInValue: say(() => ['this value holds a colon and a space: quote it', '该值中含冒号加空格：请加引号']),
  badStart: say((p: { char: string }) => [
    `a value cannot begin with ${p.char}: quote it`,
    `值不能以 ${p.char} 开头：请加引号`,
  ]),
  unclosed: say(() => [
    'a { or [ that was opened above is not closed before this line: add its } or ]',
    '上方打开的 { 或 [ 在此行之前没有闭合：请补上 } 或 ]',
  ]),
  missingChar: say((p: { why: Text }) => [`${p.why.en}: add it`, `${p.why.zh}：请补上`]),
  syntax: say((p: { why: Text }) => [`is not YAML: ${p.why.en}`, `不是合法的 YAML：${p.why.zh}`]),
  keyNotText: say(() => ['a key must be a plain word', '键必须是普通文本']),
  proto: say(() => ['__proto__ cannot be a key', '__proto__ 不能用作键']),
  aliasBomb: say((p: { max: number }) => [
    `its aliases (*name) multiply to more than ${p.max} copies: write the values out`,
    `别名（*name）展开超过 ${p.max} 份：请直接写出各值`,
  ]),
  aliasUnknown: say(() => [
    'this alias (*name) has no anchor (&name) before it',
    '该别名（*name）之前没有对应的锚点（&name）',
  ]),
  tooMany: say((p: { max: number }) => [
    `more than ${p.max} findings: mend these first`,
    `问题超过 ${p.max} 条：请先处理以上问题`,
  ]),
} as const

/** Keys and values. */
const SHAPES = {
  unknownKey: say((p: { key: string; near: Near; known: readonly string[]; where: string }) => [
    `unknown key ${p.key} in ${p.where}${meant(p.near).en || among(p.known).en}`,
    `${p.where} 中没有名为 ${p.key} 的键${meant(p.near).zh || among(p.known).zh}`,
  ]),
  badKey: say((p: { key: string; wanted: Text | null; suggestion: Near }) => [
    `${p.key} must be ${p.wanted?.en ?? 'an id'}${meant(p.suggestion).en}`,
    `${p.key} 应为${apart(p.wanted?.zh ?? '标识符')}${meant(p.suggestion).zh}`,
  ]),
  missingKey: say((p: { key: string; where: string }) => [
    `${p.key} is missing${p.where === '' ? '' : ` in ${p.where}`}`,
    `${p.where === '' ? '' : `${p.where} 中`}缺少 ${p.key}`,
  ]),
  badValue: say((p: { where: string; shown: string; wanted: Text; near: Near }) => [
    `${p.where} must be ${p.wanted.en}, not ${p.shown}${meant(p.near).en}`,
    `${p.where} 应为${apart(p.wanted.zh)}，而不是 ${p.shown}${meant(p.near).zh}`,
  ]),
  noValue: say((p: { where: string; wanted: Text }) => [
    `${p.where} has nothing after it: write ${p.wanted.en}, or remove the key`,
    `${p.where} 后面没有内容：请写${apart(p.wanted.zh)}，或删除该键`,
  ]),
  unquoted: say((p: { where: string; shown: string; wanted: Text }) => [
    `${p.where} must be ${p.wanted.en}, not the bare ${p.shown}: quote it, "${p.shown}"`,
    `${p.where} 应为${apart(p.wanted.zh)}，而不是不带引号的 ${p.shown}：请加引号，写作 "${p.shown}"`,
  ]),
  celWord: say((p: { id: string }) => [
    `${p.id} is a word of the expression language CEL and cannot be an id: choose another`,
    `${p.id} 是表达式语言 CEL 的保留字，不能用作标识符：请换一个`,
  ]),
  expression: say((p: { where: string; why: Text }) => [`${p.where}: ${p.why.en}`, `${p.where}：${p.why.zh}`]),
} as const

/** Drivers. */
const DRIVERS = {
  unknownDriver: say((p: { driver: string; near: Near }) => [
    `there is no driver ${p.driver}${meant(p.near).en || ': see gatehouse drivers list'}`,
    `没有驱动 ${p.driver}${meant(p.near).zh || '：可用 gatehouse drivers list 查看'}`,
  ]),
  driverShadowed: say((p: { driver: string; file: string }) => [
    `driver ${p.driver} comes from ${p.file}, in place of the installed one`,
    `驱动 ${p.driver} 取自 ${p.file}，而非已安装的驱动库`,
  ]),
  driverBroken: say((p: { driver: string; file: string }) => [
    `driver ${p.driver} has errors of its own: see ${p.file} in this list`,
    `驱动 ${p.driver} 本身有错误：见本列表中的 ${p.file}`,
  ]),
  driverMisnamed: say((p: { driver: string; wanted: string }) => [
    `says driver ${p.driver}, but its path says ${p.wanted}`,
    `文件中写的驱动名为 ${p.driver}，但路径表示 ${p.wanted}`,
  ]),
  driverLater: say((p: { driver: string; protocol: string }) => [
    `driver ${p.driver} speaks ${p.protocol}, which comes with a later version`,
    `驱动 ${p.driver} 使用 ${p.protocol} 协议，后续版本才支持`,
  ]),
  driverPath: say((p: { wanted: string }) => [
    `is no driver: its path must end in ${p.wanted}`,
    `不是驱动文件：路径应以 ${p.wanted} 结尾`,
  ]),
  notWritable: say((p: { point: string }) => [
    `${p.point} cannot be written: its driver does not mark it write`,
    `${p.point} 不可写：其驱动未标记 write`,
  ]),
  extendsSelf: say((p: { driver: string }) => [
    `${p.driver} extends itself: name another driver, or remove extends`,
    `${p.driver} 继承了自身：请写其他驱动，或删除 extends`,
  ]),
  chain: say((p: { parent: string }) => [
    `${p.parent} extends another driver itself: name that one, chains are not followed`,
    `${p.parent} 自身也继承了其他驱动：请直接写其父驱动，不支持多级继承`,
  ]),
  categoryMismatch: say((p: { category: string; driver: string }) => [
    `category ${p.category} is not the folder of ${p.driver}`,
    `类别 ${p.category} 与 ${p.driver} 的目录不符`,
  ]),
  notForProtocol: say((p: { key: string; protocol: string }) => [
    `${p.key} has no meaning for protocol ${p.protocol}: remove it`,
    `${p.key} 对协议 ${p.protocol} 无意义：请删除`,
  ]),
  badPart: say((p: { at: string }) => [
    `${p.at} is no part of a line: write field 2, columns 4-9, or line for all of it`,
    `${p.at} 不是行中的位置：请写 field 2、columns 4-9，或 line（整行）`,
  ]),
  partSeparator: say((p: { at: string }) => [
    `${p.at}: lines have fields only with a separator: textline: {separator: ","}`,
    `${p.at}：须先给出分隔符才有字段：textline: {separator: ","}`,
  ]),
  writePersonal: say((p: { point: string }) => [
    `${p.point} is personal and is never written: the audit would keep it; remove write`,
    `${p.point} 属于个人信息，不可写入（审计会留存）：请删除 write`,
  ]),
  writeUntold: say((p: { point: string; why: string }) => [
    `${p.point} cannot be told to the device: ${p.why}`,
    `无法向设备下发 ${p.point}：${p.why}`,
  ]),
  badPlace: say((p: { at: string }) => [
    `at: ${p.at} is no place: write coil, discrete, input or holding and an address of 0 to 65535, such as holding 99`,
    `at: ${p.at} 不是有效位置：应为 coil、discrete、input、holding 加 0 到 65535 的地址，如 holding 99`,
  ]),
  badPath: say((p: { at: string }) => [
    `at: ${p.at} is no path: write the names of fields joined by dots, or $ for the whole payload`,
    `at: ${p.at} 不是有效路径：应为以点连接的字段名，或用 $ 表示整个报文`,
  ]),
  encodingMissing: say((p: { point: string }) => [
    `${p.point}: input and holding need as: an encoding, such as u16 or f32`,
    `${p.point}：input 和 holding 需要 as 指定编码，如 u16、f32`,
  ]),
  encodingUnfit: say((p: { point: string; as: string; table: string }) => [
    `${p.point}: a ${p.table} is one bit and cannot be read as ${p.as}`,
    `${p.point}：${p.table} 只有一位，不能按 ${p.as} 读取`,
  ]),
  keyNeedsEncoding: say((p: { point: string; key: string; as: string }) => [
    `${p.point}: ${p.key} goes with as: ${p.as} only`,
    `${p.point}：${p.key} 只能与 as: ${p.as} 同用`,
  ]),
  encodingNeedsKey: say((p: { point: string; key: string; as: string }) => [
    `${p.point}: as: ${p.as} needs ${p.key}`,
    `${p.point}：as: ${p.as} 需要 ${p.key}`,
  ]),
  placeUnfit: say((p: { point: string; why: string }) => [`${p.point}: ${p.why}`, `${p.point}：${p.why}`]),
  placeMissing: say((p: { point: string }) => [
    `${p.point} has no at: where is its value?`,
    `${p.point} 没有 at：值在哪里？`,
  ]),
  unknownPoll: say((p: { point: string; every: string; near: Near }) => [
    `${p.point}: every: ${p.every} is neither a poll of this driver nor a duration${meant(p.near).en}`,
    `${p.point}：every: ${p.every} 既不是该驱动的轮询名，也不是时长${meant(p.near).zh}`,
  ]),
  everyZero: say((p: { where: string }) => [
    `${p.where}: an interval must be at least 10ms`,
    `${p.where}：间隔不得小于 10ms`,
  ]),
  unknownPoint: say((p: { where: string; point: string; near: Near }) => [
    `${p.where} names ${p.point}, which is no point of this device${meant(p.near).en}`,
    `${p.where} 中的 ${p.point} 不是该设备的点${meant(p.near).zh}`,
  ]),
  deriveForm: say((p: { point: string }) => [
    `${p.point} needs exactly one of increase (with over), hours, count, door (with granted, unlock, held), expression`,
    `${p.point} 需要且只能有 increase（配 over）、hours、count、door（配 granted、unlock、held）、expression 之一`,
  ]),
  deriveType: say((p: { point: string; of: string; wanted: 'number' | 'bool' }) =>
    p.wanted === 'bool'
      ? [`${p.point}: ${p.of} is not true or false`, `${p.point}：${p.of} 不是布尔量`]
      : [`${p.point}: ${p.of} is not a number`, `${p.point}：${p.of} 不是数值`],
  ),
  deriveCircle: say((p: { point: string }) => [`${p.point} depends on itself`, `${p.point} 循环依赖自身`]),
  scaleFrom: say((p: { point: string }) => [
    `${p.point}: scaleFrom names a point or has at:, one of them, and says means: or factors:, not both`,
    `${p.point}：scaleFrom 应写点名或 at（二者之一），并写 means 或 factors（不可同时）`,
  ]),
  badEncoding: say((p: { point: string; as: string; near: Near; known: readonly string[] }) => [
    `${p.point}: there is no encoding ${p.as}${meant(p.near).en || among(p.known).en}`,
    `${p.point}：没有编码 ${p.as}${meant(p.near).zh || among(p.known).zh}`,
  ]),
  badHole: say((p: { hole: string }) => [
    `${p.hole} is no stretch of addresses: write the lower one first, such as holding 10-19`,
    `${p.hole} 不是有效区段：请先写较小的地址，如 holding 10-19`,
  ]),
  neverUsed: say((p: { point: string }) => [
    `${p.point} is neither read nor written: give it write: or forbidden: true, or remove it`,
    `${p.point} 既不读也不写：请加 write 或 forbidden: true，否则删除`,
  ]),
  readBackBlind: say((p: { point: string }) => [
    `${p.point} is never read (read: false), so it cannot be read back: remove readBack`,
    `${p.point} 从不读取（read: false），无法回读：请删除 readBack`,
  ]),
  rangeOrder: say((p: { where: string }) => [
    `${p.where}: the first number must be below the second`,
    `${p.where}：第一个数必须小于第二个数`,
  ]),
  stateNeedsMap: say((p: { point: string }) => [
    `${p.point}: kind state needs a map of raw values to labels`,
    `${p.point}：kind 为 state 时需要 map`,
  ]),
  writeForbidden: say((p: { point: string }) => [
    `${p.point} is forbidden: a gateway must never write it; remove write`,
    `${p.point} 禁止写入（forbidden）：请删除 write`,
  ]),
  writeClosed: say((p: { point: string; other: string }) => [
    `${p.point} would write where ${p.other} lies, which is forbidden: a gateway must never write there; remove write`,
    `${p.point} 将写入 ${p.other} 所在的地址，该处禁止写入（forbidden）：请删除 write`,
  ]),
  forbiddenStays: say((p: { point: string }) => [
    `${p.point} is forbidden by its driver, which can neither be lifted nor moved: remove this key`,
    `${p.point} 被驱动禁止写入（forbidden），不能解除也不能移位：请删除该键`,
  ]),
  writeTable: say((p: { point: string; table: string }) => [
    `${p.point} lies in the ${p.table} table, which Modbus cannot write`,
    `${p.point} 位于 ${p.table} 区，Modbus 不能写入`,
  ]),
  writeBit: say((p: { point: string }) => [
    `${p.point} is a word of bits, which have names of their own: let a point with as: bit be written`,
    `${p.point} 是由多位组成的字：请为各位分别定义 as: bit 的可写点`,
  ]),
  unknownPayload: say((p: { payload: string; near: Near; known: readonly string[] }) => [
    `there is no payload codec ${p.payload}${meant(p.near).en || among(p.known).en}`,
    `没有名为 ${p.payload} 的报文编解码器${meant(p.near).zh || among(p.known).zh}`,
  ]),
  pointTwice: say((p: { point: string; other: string }) => [
    `${p.point} is also the name of ${p.other}: rename one`,
    `${p.point} 与${p.other}同名：请改名`,
  ]),
  alarmIncomplete: say((p: { alarm: string; key: string }) => [
    `alarm ${p.alarm} needs ${p.key}`,
    `报警 ${p.alarm} 缺少 ${p.key}`,
  ]),
  std: say((p: { std: string; category: string; near: Near }) => [
    `${p.std} is no name of category ${p.category} in the vocabulary${meant(p.near).en}`,
    `词表的 ${p.category} 类别中没有 ${p.std}${meant(p.near).zh}`,
  ]),
  stdUnit: say((p: { point: string; unit: string; wanted: string }) => [
    `${p.point} is in ${p.unit}; the vocabulary has it in ${p.wanted}: scale it, or use a key of your own`,
    `${p.point} 的单位是 ${p.unit}，词表规定为 ${p.wanted}：请换算，或改用自己的键名`,
  ]),
  unknownParam: say((p: { param: string; near: Near }) => [
    `this driver has no param ${p.param}${meant(p.near).en}`,
    `该驱动没有参数 ${p.param}${meant(p.near).zh}`,
  ]),
  paramValue: say((p: { param: string; value: string; wanted: Text; range: Near }) => [
    `param ${p.param} must be ${p.wanted.en}${p.range === null ? '' : ` within ${p.range}`}, not ${p.value}`,
    `参数 ${p.param} 应为${apart(p.wanted.zh)}${p.range === null ? '' : `，范围 ${p.range}`}，而不是 ${p.value}`,
  ]),
  paramNoDuration: say((p: { param: string; value: string }) => [
    `param ${p.param} is ${p.value}, which is no duration: write it as "30s"`,
    `参数 ${p.param} 的值 ${p.value} 不是时长：请写成 "30s"`,
  ]),
  paramDefault: say((p: { param: string }) => [
    `${p.param}: the default lies outside its range`,
    `${p.param}：默认值超出范围`,
  ]),
} as const

/** Proofs: bytes and what they must come to. */
const PROOFS = {
  proofNone: say(() => [
    'has no proof: add a request, its reply and the samples they give; of a composed device steps of its inputs and what follows',
    '没有验证数据：请加入请求、应答及应得到的样本；组合设备请加入输入的各步及其结果',
  ]),
  proofShape: say((p: { why: string }) => [`this proof ${p.why}`, `该验证数据有误：${p.why}`]),
  proofRequest: say((p: { why: string }) => [`request: ${p.why}`, `request：${p.why}`]),
  proofReply: say((p: { why: string }) => [`reply: ${p.why}`, `reply：${p.why}`]),
  proofPlan: say((p: { asked: string; near: string }) => [
    `the planner does not ask this (${p.asked}); it asks ${p.near}`,
    `规划结果中没有该请求（${p.asked}）；实际为 ${p.near}`,
  ]),
  proofSample: say((p: { point: string; wanted: string; got: string }) => [
    `${p.point} must come out as ${p.wanted}, and comes out as ${p.got}`,
    `${p.point} 应为 ${p.wanted}，实际为 ${p.got}`,
  ]),
  proofAlarms: say((p: { wanted: string; got: string }) => [
    `alarms that must be active: ${p.wanted}; that are: ${p.got}`,
    `应处于活动状态的报警：${p.wanted}；实际：${p.got}`,
  ]),
  proofUncovered: say((p: { point: string; asked: string }) => [
    `${p.point} does not lie within this request (${p.asked})`,
    `${p.point} 不在该请求（${p.asked}）范围内`,
  ]),
  proofWrite: say((p: { point: string; why: string }) => [`writing ${p.point}: ${p.why}`, `写 ${p.point}：${p.why}`]),
} as const

export const MESSAGES = { ...FILES, ...SHAPES, ...DRIVERS, ...PROOFS, ...SITE } as const
