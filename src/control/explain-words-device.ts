/** What can be wrong with a device, its frames and values: part of the catalogue of `explain`. */
import type { Text } from '../model/point.ts'

const SCAN: Text = {
  en: 'Who answers, and at which setting: gatehouse scan {bus}',
  zh: '查找应答的设备及其参数：gatehouse scan {bus}',
}

const PROBE: Text = {
  en: 'Find the right reading: gatehouse probe {device} {place} --expect <what the display shows>',
  zh: '查找正确的读法：gatehouse probe {device} {place} --expect <仪表显示值>',
}

export const DEVICE_CAUSES = {
  // Device.
  device_dead: {
    link: 'device',
    text: {
      en: '{device} fell silent; the others on {bus} answer: no power, or its cable is off',
      zh: '{device} 没有应答，而 {bus} 上其他设备正常：断电或接线脱落',
    },
    check: [
      { en: 'Power of the device, its display, its fuse.', zh: '设备电源、显示屏、保险丝。' },
      { en: 'A/B terminals at this device.', zh: '该设备的 A/B 端子。' },
    ],
  },
  device_dead_alone: {
    link: 'device',
    text: { en: '{device} fell silent: no power, or its cable is off', zh: '{device} 没有应答：断电或接线脱落' },
    check: [
      { en: 'Power of the device, its display, its fuse.', zh: '设备电源、显示屏、保险丝。' },
      { en: 'Cable and terminals between gateway and device.', zh: '网关与设备之间的线缆和端子。' },
    ],
  },
  device_unknown: {
    link: 'device',
    text: {
      en: 'nobody on {bus} answers to address {address} and has not since the start: wrong address, or a line setting of its own',
      zh: '{bus} 上地址 {address} 自启动以来从未应答：地址不对，或该设备的串口参数不同',
    },
    check: [
      {
        en: "Address, speed and parity in the device's menu, against {address} and {line}.",
        zh: '核对设备菜单中的地址、波特率、校验位（配置为 {address}，{line}）。',
      },
      SCAN,
      { en: 'Power and A/B at this device.', zh: '该设备的电源和 A/B 接线。' },
    ],
  },
  device_moved: {
    link: 'device',
    text: {
      en: '{device} does not answer at address {address} any more: was its address or line setting changed?',
      zh: '{device} 不再以地址 {address} 应答：是否改过地址或串口参数？',
    },
    check: [
      {
        en: "Address, speed and parity in the device's menu, against {address} and {line}.",
        zh: '核对设备菜单中的地址、波特率、校验位（配置为 {address}，{line}）。',
      },
      SCAN,
    ],
  },
  device_late: {
    link: 'device',
    text: {
      en: '{device} answers too late: {slow}, and we wait {timeout}',
      zh: '{device} 应答太慢：{slow}，而等待时间只有 {timeout}',
    },
    check: [
      {
        en: 'Set `modbus: {timeout: …}` of this device to twice its slowest answer.',
        zh: '将该设备的 modbus: {timeout: …} 设为最慢应答的两倍。',
      },
      {
        en: 'A radio bridge or serial server between? Its packing delay.',
        zh: '中间是否有无线网桥或串口服务器？检查其打包延时。',
      },
    ],
  },
  address_twice: {
    link: 'device',
    text: {
      en: 'answers of address {address} are garbled, those of the others are clean: two devices have this address',
      zh: '地址 {address} 的应答出错而其他设备正常：可能有两台设备使用同一地址',
    },
    check: [
      {
        en: 'Switch {device} off: if address {address} still answers, there is another one.',
        zh: '断开 {device} 的电源：若地址 {address} 仍有应答，则存在重复地址。',
      },
      { en: 'Its own stub and terminals.', zh: '该设备的支线和端子。' },
    ],
  },
  device_noise: {
    link: 'device',
    text: {
      en: 'answers of {device} are garbled now and then, those of the others are clean',
      zh: '{device} 的应答时有出错，其他设备正常',
    },
    check: [
      { en: 'Its stub, terminals and ground; a drive beside it?', zh: '该设备的支线、端子和接地；旁边是否有变频器？' },
      { en: 'A second device with address {address}?', zh: '是否有第二台设备使用地址 {address}？' },
    ],
  },
  stranger: {
    link: 'device',
    text: {
      en: '{device} answers as {other}, expected {address}: exchanged adapter, replaced meter, or wrong address',
      zh: '{device} 以 {other} 应答，应为 {address}：转换器互换、更换过表计或地址配置错误',
    },
    check: [
      {
        en: 'Compare the number on the meter with the site file; after a replacement: gatehouse swap',
        zh: '核对表上的编号与配置文件；如已换表：gatehouse swap',
      },
      {
        en: 'Two adapters exchanged? gatehouse ports names the stable paths.',
        zh: '两个转换器是否互换？gatehouse ports 显示固定路径。',
      },
    ],
  },
  target_silent: {
    link: 'device',
    text: {
      en: 'a gateway answers for {device} that it cannot reach it (exception {code})',
      zh: '中间网关应答：无法联系 {device}（异常 {code}）',
    },
    check: [
      {
        en: 'Power and wiring of the device behind that gateway, and address {address} in it.',
        zh: '检查该网关后面设备的电源和接线，以及地址 {address}。',
      },
      { en: "That gateway's own serial setting and timeout.", zh: '检查该网关自身的串口参数和超时。' },
    ],
  },
  device_busy: {
    link: 'device',
    text: { en: '{device} says that it is busy', zh: '{device} 报告忙' },
    check: [{ en: 'Poll it less often, or give it `minGap`.', zh: '降低轮询频率，或设置 minGap。' }],
  },
  device_failure: {
    link: 'device',
    text: { en: '{device} reports a failure of its own (exception 4)', zh: '{device} 报告自身故障（异常 4）' },
    check: [
      { en: "The device's display and fault code; switch it off and on.", zh: '查看设备显示和故障码；断电重启。' },
    ],
  },

  // Frame.
  register_missing: {
    link: 'frame',
    text: {
      en: '{device} says that it has no {place} (exception 2): the address is off by one, or the model differs from its driver',
      zh: '{device} 应答没有 {place}（异常 2）：地址差一，或型号与驱动不符',
    },
    check: [
      {
        en: 'Manuals count from 0 or from 1: try the address before and behind.',
        zh: '手册地址从 0 或 1 起算：试前后各一个地址。',
      },
      PROBE,
    ],
  },
  function_missing: {
    link: 'frame',
    text: {
      en: '{device} does not know this kind of read (exception 1): input and holding registers exchanged?',
      zh: '{device} 不支持这种读取（异常 1）：输入寄存器与保持寄存器是否弄反？',
    },
    check: [
      {
        en: 'Holding (FC 3) in place of input (FC 4), or the other way round.',
        zh: '将 FC 4（input）换成 FC 3（holding），或反之。',
      },
      PROBE,
    ],
  },
  request_refused: {
    link: 'frame',
    text: {
      en: '{device} refuses the question (exception 3): too many registers at once, or an odd count',
      zh: '{device} 拒绝该请求（异常 3）：一次读取过多，或数量不成对',
    },
    check: [
      {
        en: 'Lower `modbus: {maxRegisters: …}`, or set `noHoles: true`.',
        zh: '减小 modbus: {maxRegisters: …}，或设置 noHoles: true。',
      },
    ],
  },
  meter_refuses: {
    link: 'frame',
    text: { en: '{device} refuses {place}: {why}', zh: '{device} 拒绝 {place}：{why}' },
    check: [
      {
        en: 'Not every meter keeps every item of the standard: remove the point, or take the driver of its edition (1997, 2007) and phases.',
        zh: '并非每块电表都有标准中的所有数据项：删除该点，或换用对应版本（1997、2007）和相数的驱动。',
      },
      PROBE,
    ],
  },
  exception_other: {
    link: 'frame',
    text: { en: '{device} refuses with exception {code}', zh: '{device} 以异常 {code} 拒绝' },
    check: [{ en: "What the maker's manual says of code {code}.", zh: '查阅厂家手册中代码 {code} 的含义。' }],
  },

  // Decode.
  order_wrong: {
    link: 'decode',
    text: {
      en: 'the byte order is wrong: as {as} the same bytes are {value}',
      zh: '字节顺序不对：按 {as} 读取则为 {value}',
    },
    check: [
      { en: 'Set `order: {as}` for the point, or for the device.', zh: '为该点或该设备设置 order: {as}。' },
      PROBE,
    ],
  },
  scale_wrong: {
    link: 'decode',
    text: { en: 'the scale is wrong: with {as} the value is {value}', zh: '比例不对：{as} 时为 {value}' },
    check: [
      { en: 'Compare with the display; then set {as} for the point.', zh: '与显示值比较后，为该点设置 {as}。' },
      PROBE,
    ],
  },
  sign_wrong: {
    link: 'decode',
    text: { en: 'the sign is lost: as {as} the value is {value}', zh: '丢失了符号：按 {as} 读取则为 {value}' },
    check: [{ en: 'Set `as: {as}` for the point.', zh: '为该点设置 as: {as}。' }, PROBE],
  },
  sensor_missing: {
    link: 'decode',
    text: {
      en: '{device} answers and says that it has no value: sensor not fitted, broken or off',
      zh: '{device} 有应答，但表示没有该值：传感器未装、损坏或关闭',
    },
    check: [
      {
        en: 'The sensor behind the device: fitted, wired, enabled in its menu?',
        zh: '设备所接的传感器：是否安装、接好、在菜单中启用？',
      },
    ],
  },
  value_invalid: {
    link: 'decode',
    text: {
      en: '{device} answers with something that is no number ({place})',
      zh: '{device} 应答的内容不是有效数值（{place}）',
    },
    check: [
      { en: 'The sensor behind it; then the encoding in the driver.', zh: '先查传感器，再查驱动中的编码。' },
      PROBE,
    ],
  },
  out_of_range: {
    link: 'decode',
    text: { en: 'the value lies outside of {range}', zh: '数值超出 {range}' },
    check: [
      {
        en: 'Does the display show it too? Then the sensor, else scale, order and range in the driver.',
        zh: '仪表是否也这样显示？是则查传感器，否则查驱动中的比例、顺序和量程。',
      },
      PROBE,
    ],
  },
  rate: {
    link: 'decode',
    text: { en: 'the value jumped faster than it can', zh: '数值变化快得不合理' },
    check: [
      {
        en: 'A loose wire at the sensor, interference, or too small a `rateMax`.',
        zh: '传感器接线松动、干扰，或 rateMax 过小。',
      },
    ],
  },
  frozen: {
    link: 'decode',
    text: {
      en: '{device} answers, and the value has not moved for too long: stuck sensor',
      zh: '{device} 有应答，但数值长时间不变：传感器卡死',
    },
    check: [
      { en: 'Change what it measures by hand and look at the display.', zh: '人为改变被测量，观察显示是否变化。' },
      { en: 'A gateway in between that goes on showing old values?', zh: '中间是否有网关一直返回旧值？' },
    ],
  },
  first_after_timeout: {
    link: 'frame',
    text: {
      en: 'a value after a timeout that no second one has confirmed: {device} never answers twice in a row',
      zh: '超时后的值，尚无第二个值确认：{device} 从不连续应答两次',
    },
    check: [
      {
        en: 'A pause between requests, or a longer timeout, in its driver: `minGap: 200ms`, `timeout: 1s`.',
        zh: '在其驱动中加请求间隔或更长的超时：minGap: 200ms、timeout: 1s。',
      },
    ],
  },
  stale: {
    link: 'frame',
    text: { en: 'it was not read again for too long', zh: '太久没有重新读到' },
    check: [{ en: 'Is the wire overloaded? gatehouse buses', zh: '总线是否过载？gatehouse buses' }],
  },
  substituted: {
    link: 'decode',
    text: { en: 'the value was set by hand', zh: '该值为人工置数' },
    check: [{ en: 'Who substituted it, and why.', zh: '由谁置数，原因为何。' }],
  },
  not_read: {
    link: 'frame',
    text: { en: 'it has not been read yet', zh: '尚未读取' },
    check: [
      {
        en: 'Wait for the first poll; read now: gatehouse read {point}',
        zh: '等待首次轮询；立即读取：gatehouse read {point}',
      },
    ],
  },
  not_configured: {
    link: 'decode',
    text: { en: 'the site file connects nothing to this input', zh: '配置文件未给该输入接任何点' },
    check: [
      {
        en: 'Connect it under `inputs:` of the device, if the equipment has it.',
        zh: '如设备具备该信号，在 inputs: 中接上。',
      },
    ],
  },

  // Devices that publish.
  topic_never: {
    link: 'device',
    text: { en: 'nothing has come on {topic} since the start', zh: '启动以来主题 {topic} 没有收到任何消息' },
    check: [
      {
        en: 'Is the topic spelt as the bridge spells it? Is the device joined and awake?',
        zh: '主题拼写是否与网桥一致？设备是否已入网并唤醒？',
      },
      {
        en: 'May that client publish there: broker.clients in the site file.',
        zh: '该客户端是否有发布权限：配置文件中的 broker.clients。',
      },
    ],
  },
  topic_silent: {
    link: 'device',
    text: {
      en: 'nothing comes on {topic} any more: battery, radio, or its bridge',
      zh: '主题 {topic} 不再有消息：电池、信号或网桥',
    },
    check: [
      { en: 'Battery and distance of the device; press its button.', zh: '设备的电池和距离；按一下按键。' },
      { en: 'Does the bridge run, and is it connected?', zh: '网桥是否运行并已连接？' },
    ],
  },
  lines_silent: {
    link: 'device',
    text: { en: '{device} prints nothing', zh: '{device} 没有输出任何内容' },
    check: [
      {
        en: 'Power, its transmit wire, and that its serial output is switched on.',
        zh: '检查电源、发送线，以及其串口输出是否开启。',
      },
      {
        en: 'Speed and parity against the site file: a wrong one gives garbage or nothing.',
        zh: '核对波特率和校验位：不符时会出现乱码或没有内容。',
      },
    ],
  },
  broker_empty: {
    link: 'port',
    text: { en: 'no client is connected to the local broker', zh: '本地代理没有任何客户端连接' },
    check: [
      {
        en: 'Address, user name and password in the bridge; is it running?',
        zh: '网桥中的地址、用户名和密码；网桥是否在运行？',
      },
    ],
  },
  fine: {
    link: 'rule',
    text: { en: 'nothing is wrong with it', zh: '没有问题' },
    check: [],
  },
} as const
