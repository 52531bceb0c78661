/** What the demo says, in both languages. */
import type { Language } from '../model/site.ts'

const EN = {
  opening: (o: { name: string; devices: number; points: number; seconds: number }) =>
    `${o.name}: ${o.devices} devices, ${o.points} points, for ${o.seconds} s`,
  lookInside: (o: { dir: string }) => `look inside from another terminal: npx gatehouse status -d ${o.dir}`,
  pumpTrips: () => 'act: the drive of pump 1 trips',
  pumpRepaired: () => 'act: pump 1 is repaired',
  button: () => 'act: somebody presses the alarm button in lift 1',
  buttonReleased: () => 'act: lift 1 is attended to',
  lineCut: () => 'act: the line to the cloud is cut',
  lineBack: (o: { batches: number; samples: number }) =>
    `act: the line is back; waiting: ${o.batches} batches, ${o.samples} samples`,
  lineDown: (o: { cause: string }) => `cloud: not connected (${o.cause})`,
  lineUp: (o: { server: string }) => `cloud: connected to ${o.server}`,
  drained: (o: { seconds: string }) => `cloud: backlog drained ${o.seconds} s after the line came back`,
  raised: (o: { priority: string; text: string }) => `ALARM ${o.priority}: ${o.text}`,
  cleared: (o: { text: string }) => `alarm returned: ${o.text}`,
  output: (o: { point: string; value: string; rule: string }) => `output ${o.point} = ${o.value}, by rule ${o.rule}`,
  standby: () => 'pump 2 runs: the standby was started on site, the cloud was not asked',
  stopping: () => 'stopping in order',
  verdict: (o: { read: string; committed: string; delivered: string; gaps: number; duplicates: number }) =>
    `samples read ${o.read}, committed ${o.committed}, delivered ${o.delivered}, undeclared gaps ${o.gaps}, duplicates ${o.duplicates}`,
  breaches: (o: { count: number; first: string }) =>
    `the cloud found ${o.count} faulty messages, the first: ${o.first}`,
  notDelivered: (o: { batches: number }) => `${o.batches} batches were still waiting when the time was over`,
  values: () => 'values',
  alarms: () => 'alarms',
  noAlarms: () => 'none',
  events: () => 'what happened',
  cloudLine: (o: { up: boolean; waiting: number; delivered: string }) =>
    `cloud ${o.up ? 'connected' : 'NOT CONNECTED'}   waiting ${o.waiting} batches   delivered ${o.delivered} samples`,
  counts: (o: { read: string; committed: string; good: number; points: number }) =>
    `read ${o.read}   committed ${o.committed}   points good ${o.good} of ${o.points}`,
  quit: () => 'Ctrl-C stops',
} as const

type Words = { readonly [Key in keyof typeof EN]: (typeof EN)[Key] }

const ZH: Words = {
  opening: (o) => `${o.name}：${o.devices} 台设备，${o.points} 个点，演示 ${o.seconds} 秒`,
  lookInside: (o) => `在另一个终端查看：npx gatehouse status -d ${o.dir}`,
  pumpTrips: () => '情节：1号泵变频器跳闸',
  pumpRepaired: () => '情节：1号泵修复',
  button: () => '情节：有人按下1号电梯的报警按钮',
  buttonReleased: () => '情节：1号电梯已处理',
  lineCut: () => '情节：到云端的线路中断',
  lineBack: (o) => `情节：线路恢复，待发 ${o.batches} 批、${o.samples} 个样本`,
  lineDown: (o) => `云端：未连接（${o.cause}）`,
  lineUp: (o) => `云端：已连接 ${o.server}`,
  drained: (o) => `云端：线路恢复 ${o.seconds} 秒后积压补传完毕`,
  raised: (o) => `告警 ${o.priority}：${o.text}`,
  cleared: (o) => `告警恢复：${o.text}`,
  output: (o) => `输出 ${o.point} = ${o.value}，规则 ${o.rule}`,
  standby: () => '2号泵已运行：备用泵由现场启动，没有等云端',
  stopping: () => '正在有序停止',
  verdict: (o) =>
    `读取样本 ${o.read}，已提交 ${o.committed}，已送达 ${o.delivered}，未声明的缺口 ${o.gaps} (undeclared gaps ${o.gaps})，重复 ${o.duplicates}`,
  breaches: (o) => `云端发现 ${o.count} 条不合约定的消息，第一条：${o.first}`,
  notDelivered: (o) => `时间到时仍有 ${o.batches} 批待发`,
  values: () => '数值',
  alarms: () => '告警',
  noAlarms: () => '无',
  events: () => '经过',
  cloudLine: (o) => `云端 ${o.up ? '已连接' : '未连接'}   待发 ${o.waiting} 批   已送达 ${o.delivered} 个样本`,
  counts: (o) => `读取 ${o.read}   已提交 ${o.committed}   良好 ${o.good} / ${o.points} 点`,
  quit: () => 'Ctrl-C 停止',
}

export function wordsOf(language: Language): Words {
  return language === 'zh' ? ZH : EN
}
