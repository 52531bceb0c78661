/** What can be wrong with a port or a wire: part of the catalogue of `explain`. */
import type { Text } from '../model/point.ts'

const SCAN: Text = {
  en: 'Who answers, and at which setting: gatehouse scan {bus}',
  zh: '查找应答的设备及其参数：gatehouse scan {bus}',
}

const TRACE: Text = { en: 'See the bytes: gatehouse trace {bus}', zh: '查看原始报文：gatehouse trace {bus}' }

export const LINE_CAUSES = {
  // Port.
  port_missing: {
    link: 'port',
    text: { en: 'the serial port {path} is not there', zh: '串口 {path} 不存在' },
    check: [
      { en: 'Is the adapter plugged in, and its USB socket firm?', zh: '转换器是否插好，USB 口是否松动？' },
      { en: 'Which ports there are: gatehouse ports', zh: '查看现有串口：gatehouse ports' },
    ],
  },
  port_busy: {
    link: 'port',
    text: { en: 'another program holds {path}{holder}', zh: '{path} 被其他程序占用{holder}' },
    check: [
      { en: 'End that program: one master owns a wire.', zh: '停止该程序：一条总线只能有一个主站。' },
      { en: 'Who holds it: gatehouse ports', zh: '查看占用者：gatehouse ports' },
    ],
  },
  port_denied: {
    link: 'port',
    text: { en: 'the gateway may not open {path}', zh: '网关没有权限打开 {path}' },
    check: [
      {
        en: 'Put the service into the group of the port (usually dialout), then restart it.',
        zh: '把服务用户加入串口所属的用户组（通常是 dialout），然后重启服务。',
      },
    ],
  },
  host_silent: {
    link: 'port',
    text: { en: 'nobody takes the connection at {wire}', zh: '{wire} 没有响应连接' },
    check: [
      {
        en: 'Is the device or serial server powered, its network lamp lit?',
        zh: '设备或串口服务器是否有电，网口灯是否亮？',
      },
      {
        en: 'IP address, subnet, VLAN and switch port; ping it from here.',
        zh: '检查 IP、子网、VLAN 和交换机端口；在本机 ping 一下。',
      },
    ],
  },
  host_refuses: {
    link: 'port',
    text: { en: '{wire} is there and refuses the connection', zh: '{wire} 在线，但拒绝连接' },
    check: [
      {
        en: 'Is the port number right, and Modbus TCP or TCP server mode switched on?',
        zh: '端口号是否正确，Modbus TCP 或 TCP Server 模式是否开启？',
      },
      {
        en: 'Many devices take one connection only: end other programs that hold it.',
        zh: '许多设备只允许一个连接：关闭占用它的其他程序。',
      },
    ],
  },
  line_drops: {
    link: 'port',
    text: { en: 'the connection to {wire} breaks again and again', zh: '与 {wire} 的连接反复中断' },
    check: [
      {
        en: 'A second program on the same device? An idle timeout of the serial server? A bad cable?',
        zh: '是否有第二个程序连接同一设备？串口服务器的空闲超时？网线不良？',
      },
    ],
  },

  // Bus.
  segment_dead: {
    link: 'bus',
    text: { en: 'the whole line {bus} fell silent at once', zh: '整条总线 {bus} 同时没有应答' },
    check: [
      {
        en: 'The cable from the gateway to the first device, its terminals, the power of that cabinet.',
        zh: '网关到第一台设备的线缆、接线端子，以及该配电箱的电源。',
      },
      {
        en: 'Behind a serial server: its RS-485 side; switch it off and on.',
        zh: '若经串口服务器：检查其 RS-485 侧；断电重启。',
      },
    ],
  },
  wiring_or_line: {
    link: 'bus',
    text: {
      en: 'nobody on {bus} has answered yet, and not one byte came: A/B swapped, or the wrong line setting ({line})',
      zh: '{bus} 上从未有设备应答，也没有收到任何字节：A/B 接反，或串口参数不对（{line}）',
    },
    check: [
      { en: 'Swap A and B at the gateway end: it does no harm.', zh: '在网关端对调 A、B 线：不会损坏设备。' },
      {
        en: 'Speed and parity in the menu of one device, against the site file.',
        zh: '在设备菜单中核对波特率和校验位，与配置文件比较。',
      },
      SCAN,
    ],
  },
  garbage_polarity: {
    link: 'bus',
    text: {
      en: 'what comes on {bus} is garbage from everybody: A and B are swapped, or nothing holds the idle line',
      zh: '{bus} 上收到的全是乱码：A/B 接反，或总线空闲时没有偏置',
    },
    check: [
      { en: 'Swap A and B at the gateway end: it does no harm.', zh: '在网关端对调 A、B 线：不会损坏设备。' },
      {
        en: 'One 120 Ω terminator at each end, bias at the gateway; ground connected.',
        zh: '两端各一个 120 Ω 终端电阻，网关端加偏置；接好地线。',
      },
      TRACE,
    ],
  },
  garbage_speed: {
    link: 'bus',
    text: {
      en: 'what comes on {bus} is garbage of the wrong length from everybody: wrong speed (we use {line})',
      zh: '{bus} 上收到的全是长度不对的乱码：波特率不对（当前 {line}）',
    },
    check: [
      {
        en: 'Speed in the menu of one device; on a serial server also its own setting.',
        zh: '核对设备菜单里的波特率；若有串口服务器，还要核对它自身的设置。',
      },
      SCAN,
    ],
  },
  garbage_parity: {
    link: 'bus',
    text: {
      en: 'answers on {bus} have the right length and wrong bytes: wrong parity (we use {line})',
      zh: '{bus} 上的应答长度正确但字节有误：校验位不对（当前 {line}）',
    },
    check: [
      {
        en: 'Parity and stop bits in the menu of one device: 8N1, 8E1, 8O1 or 8N2.',
        zh: '核对设备菜单里的校验位和停止位：8N1、8E1、8O1 或 8N2。',
      },
      SCAN,
    ],
  },
  echo: {
    link: 'bus',
    text: {
      en: 'the adapter of {bus} returns what we send (echo)',
      zh: '{bus} 的转换器把我们发送的内容原样返回（回显）',
    },
    check: [
      {
        en: 'Say `modbus: {echo: true}` for its devices, or switch the echo off on the adapter.',
        zh: '在其设备上设置 modbus: {echo: true}，或关闭转换器的回显。',
      },
    ],
  },
  second_master: {
    link: 'bus',
    text: { en: 'somebody else asks on {bus}{other}', zh: '{bus} 上还有另一个主站在发送{other}' },
    check: [
      {
        en: 'Find it: a panel, a BMS, a second gateway, a laptop. One wire takes one master.',
        zh: '找到它：触摸屏、楼控、另一台网关或笔记本。一条总线只能有一个主站。',
      },
      TRACE,
    ],
  },
  server_text: {
    link: 'bus',
    text: {
      en: 'what {bus} is connected to prints texts of its own ("{text}", {n} times)',
      zh: '{bus} 所连的设备自己发送文本（“{text}”，{n} 次）',
    },
    check: [
      {
        en: 'Switch registration and heartbeat packets off in the serial server or modem, and choose transparent mode.',
        zh: '在串口服务器或 DTU 中关闭注册包和心跳包，并选用透传模式。',
      },
      TRACE,
    ],
  },
  noise: {
    link: 'bus',
    text: {
      en: 'answers on {bus} are garbled now and then, from several devices: noise on the line',
      zh: '{bus} 上多台设备的应答时有出错：线路干扰',
    },
    check: [
      {
        en: 'One 120 Ω terminator at each end only; shield grounded at one end; away from drives and power cables.',
        zh: '仅两端各接一个 120 Ω 电阻；屏蔽层单端接地；远离变频器和动力线。',
      },
      { en: 'No star wiring: one line from device to device.', zh: '不要星形接线：应从一台到下一台手拉手连接。' },
    ],
  },
  overloaded: {
    link: 'bus',
    text: {
      en: 'the wire {bus} is busy {load} of the time: there is no room for all polls',
      zh: '总线 {bus} 占用率 {load}：无法完成全部轮询',
    },
    check: [
      {
        en: 'What cannot be kept, and what to change: gatehouse check',
        zh: '查看哪些周期无法保证及如何调整：gatehouse check',
      },
    ],
  },
} as const
