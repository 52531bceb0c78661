/** Words of `decode`. */
export const DECODE_TEXT = {
  decodeJunk: { en: 'in no frame: {hex}', zh: '不属于任何帧：{hex}' },
  decodeMore: { en: '{hex} … ({n} bytes in all)', zh: '{hex} …（共 {n} 字节）' },
  decodeRefused: { en: 'no {protocol}', zh: '不是 {protocol}' },
  request: { en: 'request', zh: '请求' },
  reply: { en: 'reply', zh: '应答' },
  message: { en: 'message', zh: '消息' },
  decodeAddress: { en: 'address {address}', zh: '地址 {address}' },
  decodeFault: { en: 'fault: {fault}', zh: '故障：{fault}' },
  decodeUnknown: { en: '"{name}" is not a protocol that can be decoded', zh: '"{name}" 不是可以解码的协议' },
  decodeKnown: { en: 'known are: {names}', zh: '可用的有：{names}' },
  decodeUsage: {
    en: 'gatehouse decode PROTOCOL HEX, or decode zigbee2mqtt --topic TOPIC PAYLOAD; - reads the data from standard input',
    zh: 'gatehouse decode 协议 十六进制，或 decode zigbee2mqtt --topic 主题 负载；用 - 从标准输入读取数据',
  },
  decodeNotTaken: {
    en: '{option} says nothing about {protocol}: leave it out',
    zh: '{option} 对 {protocol} 没有意义：请去掉',
  },
  decodeLong: { en: 'more than {n} bytes: decode a part of it', zh: '超过 {n} 字节：请只解码其中一部分' },
  decodeNotLines: {
    en: 'driver {name} reads no printed lines (its protocol is {protocol})',
    zh: '驱动 {name} 不解析打印行（其协议为 {protocol}）',
  },
  decodeNotPayload: {
    en: 'driver {name} reads {own}, not {wanted}',
    zh: '驱动 {name} 解析的是 {own}，不是 {wanted}',
  },
  decodeDriverFaulty: {
    en: 'driver {name} has faults: gatehouse drivers check shows them',
    zh: '驱动 {name} 有错误：用 gatehouse drivers check 查看',
  },
  optTopic: { en: 'topic of the message', zh: '消息的主题' },
  optDriver: {
    en: 'driver whose points name the values (drivers/…, such as access/serial_card_reader)',
    zh: '用该驱动的测点解释数值（如 access/serial_card_reader）',
  },
  optExpect: { en: 'what is printed on the card: says which form it is', zh: '卡面印刷的号码：说明是哪种写法' },
  optModel: {
    en: 'model of the sensor, where its bytes mean another thing in each',
    zh: '传感器型号（不同型号字节含义不同）',
  },
} as const
