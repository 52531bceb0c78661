/** Words of what goes wrong before a verb runs, or with the machine it runs on. Part of the one catalogue in text.ts. */
import type { Text } from '../model/point.ts'

export const FAILURE_TEXT = {
  error: { en: 'error', zh: '错误' },
  usageHint: { en: '`gatehouse help {verb}` shows how', zh: '用法见 gatehouse help {verb}' },
  usageHintAll: { en: '`gatehouse help` lists the verbs', zh: '用 gatehouse help 列出所有命令' },
  driversAction: { en: 'drivers knows no "{action}"', zh: 'drivers 没有 "{action}" 这种用法' },
  driversWhich: { en: 'drivers {action}: say which', zh: 'drivers {action}：请指明是哪一个' },
  driversShow: { en: 'did you mean gatehouse drivers show {name}?', zh: '是不是 gatehouse drivers show {name}？' },
  driversUsage: {
    en: 'gatehouse drivers lists all; drivers show ID shows one; drivers check FILE tries a file',
    zh: 'gatehouse drivers 列出全部；drivers show ID 查看一个；drivers check 文件 检查驱动文件',
  },
  noVerb: { en: 'there is no verb {verb}', zh: '没有命令 {verb}' },
  verbNone: { en: 'say a verb', zh: '请给出命令' },
  verbLater: {
    en: '{verb} is not in this version of Gatehouse: it comes with a later one',
    zh: '本版本的 Gatehouse 没有 {verb}：它将在后续版本提供',
  },
  noOption: { en: 'there is no option {option} here', zh: '此处没有选项 {option}' },
  optionEmpty: { en: '{option} wants a value', zh: '{option} 需要一个值' },
  optionConfig: { en: 'the site file: -c FILE', zh: '配置文件：-c 文件' },
  optionData: { en: 'the data directory of the daemon: -d DIR', zh: '守护进程的数据目录：-d 目录' },
  optionLang: { en: '--lang en or --lang zh', zh: '--lang en 或 --lang zh' },
  wordMissing: { en: '{word} is missing', zh: '缺少 {word}' },
  wordExcess: {
    en: '{verb} takes {n} words, not {given}: {words}',
    zh: '{verb} 后应有 {n} 个词，而不是 {given} 个：{words}',
  },
  badLanguage: { en: '--lang takes en or zh, not {text}', zh: '--lang 只能是 en 或 zh，不能是 {text}' },
  siteUnsound: {
    en: '`gatehouse check -c {file}` says it again, until it is sound',
    zh: '改好后用 gatehouse check -c {file} 再查',
  },
  noPermission: { en: 'no permission for {path}', zh: '没有权限访问 {path}' },
  noPermissionHint: {
    en: 'join the group {group} (sudo usermod -aG {group} {user}, then log in again), or use sudo',
    zh: '加入用户组 {group}（sudo usermod -aG {group} {user}，然后重新登录），或使用 sudo',
  },
  noPermissionRoot: {
    en: 'it belongs to the group root, which nobody joins: use sudo',
    zh: '它属于用户组 root，不应加入该组：请使用 sudo',
  },
  diskFailed: { en: 'the disk does not take it: {what}', zh: '磁盘无法写入：{what}' },
  diskHint: {
    en: 'look at free space and at the health of the disk (df -h, dmesg)',
    zh: '检查剩余空间和磁盘健康（df -h、dmesg）',
  },
  historySinceMax: { en: '--since goes back 20 years at most', zh: '--since 最多 20 年' },
  historyEveryMin: { en: '--every is 1s at least', zh: '--every 至少为 1s' },
  historyEveryHint: { en: 'every report as it was: --every raw', zh: '逐条记录请用 --every raw' },
  noFile: { en: 'there is no file {file}', zh: '没有文件 {file}' },
  bug: { en: 'a bug in this command: {what}', zh: '命令内部错误：{what}' },
  bugHint: { en: 'please report it with GATEHOUSE_TRACE=1', zh: '请设置 GATEHOUSE_TRACE=1 重试并反馈' },
} as const satisfies Readonly<Record<string, Text>>
