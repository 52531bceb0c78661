/** What `simulate` says. */
import type { Text } from '../model/point.ts'

export const SIMULATE_TEXT = {
  optFault: {
    en: 'let a device be late, silent, garbled, split, wrong_unit, exception or frozen, always or for a share (5%); may be repeated',
    zh: '让设备出故障： late silent garbled split wrong_unit exception frozen，可给比例（5%），可重复',
  },
  optSeed: { en: 'the same seed gives the same values and faults (1)', zh: '种子相同则数值和故障相同（1）' },
  optBroker: {
    en: 'devices that publish speak to this broker; without a URL, to that of the site file',
    zh: '主动上报的设备发布到该 broker；不给 URL 则为配置文件中的 broker',
  },
  optPortBase: { en: 'first TCP port to use', zh: '使用的第一个 TCP 端口' },
  badSeed: {
    en: '--seed {text} is not a whole number from 0 to {max}',
    zh: '--seed {text} 不是 0 到 {max} 的整数',
  },
  badFault: { en: '--fault {text} is not DEVICE=KIND[:SHARE]', zh: '--fault {text} 不是 设备=故障[:比例] 的形式' },
  faultHint: {
    en: 'for example --fault pump_1=late:5%, or --fault pump_1=silent for all its answers',
    zh: '例如 --fault pump_1=late:5%，或 --fault pump_1=silent（全部应答）',
  },
  badPort: { en: '--port-base {text} is not a port', zh: '--port-base {text} 不是端口号' },
  simulateSilent: { en: 'silent', zh: '不发布' },
  simulateBroker: {
    en: 'Devices that publish are silent: --broker lets them speak to the broker of the site file.',
    zh: '主动上报的设备不发布：加 --broker 后发布到配置文件中的 broker。',
  },
  simulateFault: {
    en: '{device} is {kind}: {share} (seed {seed})',
    zh: '{device} 模拟 {kind}：{share}（种子 {seed}）',
  },
  simulateUntil: { en: 'Answering until Ctrl-C.', zh: '持续应答，Ctrl-C 结束。' },
} as const satisfies Record<string, Text>
