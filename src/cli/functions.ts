/** What functions of field protocols are called in Chinese. In JSON and in drivers they keep their English names. */
import type { Language } from '../model/site.ts'

const ZH: Readonly<Record<string, string>> = {
  'read coils': '读线圈',
  'read discrete inputs': '读离散输入',
  'read holding registers': '读保持寄存器',
  'read input registers': '读输入寄存器',
  'write single coil': '写单个线圈',
  'write single register': '写单个寄存器',
  'write multiple coils': '写多个线圈',
  'write multiple registers': '写多个寄存器',
  'mask write register': '屏蔽写寄存器',
  'read/write multiple registers': '读写多个寄存器',
  'read device identification': '读设备标识',
  security: '安全认证',
  'broadcast time': '广播校时',
  'read data': '读数据',
  'read following data': '读后续数据',
  're-read data': '重读数据',
  'read address': '读通信地址',
  'write data': '写数据',
  'write address': '写通信地址',
  freeze: '冻结',
  'change baud rate': '更改通信速率',
  'change password': '修改密码',
  'clear demand': '最大需量清零',
  'clear meter': '电表清零',
  'clear events': '事件清零',
  'relay control': '跳合闸控制',
  'read key version': '读密钥版本',
  'write base reading': '写机电同步数',
  acknowledge: '确认',
  unknown: '未知',
  'unknown function': '未知功能',
  'status block': '状态数据块',
  login: '登录',
  code: '代码',
  line: '行',
  state: '状态',
}

/** `3 read holding registers`, `line`: what has no other name stays. */
export function functionText(written: string, language: Language): string {
  if (language === 'en') return written
  const [, code = '', name = ''] = /^([0-9A-F]{1,3} )?(.*)$/.exec(written) ?? []
  return Object.hasOwn(ZH, name) ? code + (ZH[name] ?? name) : written
}
