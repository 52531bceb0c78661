/**
 * Codes of GB/T 24476 as the platforms that implement it have them (the text of the standard was not readable; lists agree but for
 * what platforms add above 90), and the fault numbers of Monarch controllers that mean one of them.
 */
import type { Text } from '../../model/point.ts'
import { both } from '../explained.ts'

export type LiftCode = { readonly name: Text; readonly class: 'none' | 'fault' | 'event' | 'alarm' }

const fault = (en: string, zh: string): LiftCode => ({ name: both(en, zh), class: 'fault' })
const event = (en: string, zh: string): LiftCode => ({ name: both(en, zh), class: 'event' })

export const LIFT_CODES: ReadonlyMap<number, LiftCode> = new Map([
  [0, { name: both('none', '无'), class: 'none' }],
  [1, fault('safety circuit open while running', '运行时安全回路断开')],
  [2, fault('door close failure', '关门故障')],
  [3, fault('door open failure', '开门故障')],
  [4, fault('stopped outside the unlocking zone', '轿厢在开锁区域外停止')],
  [5, fault('unintended car movement', '轿厢意外移动')],
  [6, fault('motor run time limiter acted', '电动机运转时间限制器动作')],
  [7, fault('car position lost', '楼层位置丢失')],
  [8, fault('other fault that prevents running', '其他阻止运行的故障')],
  [40, event('back to automatic', '恢复自动运行')],
  [41, event('main power off', '主电源断电')],
  [42, event('out of service', '停止服务')],
  [43, event('inspection', '检修')],
  [44, event('fire return', '消防返回')],
  [45, event('firefighter operation', '消防员运行')],
  [46, event('emergency power', '应急电源运行')],
  [47, event('earthquake mode', '地震模式')],
  [90, { name: both('alarm button', '报警按钮动作'), class: 'alarm' }],
])

/** Monarch's number after the E. */
export const MONARCH: ReadonlyMap<number, number> = new Map([
  [22, 7],
  [26, 47],
  [30, 6],
  [35, 7],
  [41, 1],
  [48, 3],
  [49, 2],
  [58, 7],
  [65, 5],
])
