/** Alarms and their acknowledgement. */
import * as z from 'zod'
import { nearest } from '../derive/nearest.ts'
import { answering, OperationError } from './operation.ts'
import { alarmRow, alarmState, byUrgency } from './rows.ts'
import { ackAnswer, alarmRow as alarmShape } from './shapes.ts'

export const alarms = answering({
  name: 'alarms',
  role: 'viewer',
  /** Without `all`: those that want attention. With it also what is shelved, suppressed or out of service. */
  input: z.strictObject({ all: z.boolean().default(false) }),
  output: z.array(alarmShape),
  run: ({ view }, input) =>
    view
      .alarms()
      .map(alarmRow)
      .filter(({ state }) => input.all || ['unacknowledged', 'acknowledged', 'returned'].includes(state))
      .toSorted(byUrgency),
})

export const ack = answering({
  name: 'ack',
  role: 'operator',
  mutates: true,
  input: z.union([
    z.strictObject({ no: z.int() }),
    z.strictObject({ rule: z.string().min(1).max(200) }),
    z.strictObject({ all: z.literal(true) }),
  ]),
  output: ackAnswer,
  run: async ({ view, caller }, input) => {
    const live = view.alarms()
    const wanted =
      'no' in input
        ? live.filter(({ no }) => no === input.no)
        : 'rule' in input
          ? live.filter(({ last }) => last.rule === input.rule)
          : // All means all that one sees: what is shelved or suppressed was put aside on purpose.
            live.filter((alarm) => ['unacknowledged', 'acknowledged', 'returned'].includes(alarmState(alarm)))
    if (wanted.length === 0 && !('all' in input))
      throw absent(
        input,
        live.map(({ last }) => last.rule),
      )
    const numbers = wanted.map(({ no }) => no)
    const acknowledged = await view.acknowledge(numbers, `cli:${caller.name}`)
    return { acknowledged: [...acknowledged], already: numbers.filter((no) => !acknowledged.includes(no)) }
  },
})

function absent(input: { no: number } | { rule: string }, rules: readonly string[]): OperationError {
  const near = 'rule' in input ? nearest(input.rule, rules) : null
  return new OperationError(
    'E_NO_ALARM',
    'no' in input
      ? { en: `there is no live alarm ${input.no}`, zh: `没有编号为 ${input.no} 的告警` }
      : { en: `no live alarm of the rule ${input.rule}`, zh: `规则 ${input.rule} 没有未结束的告警` },
    near === null
      ? { en: '`gatehouse alarms --all` lists them', zh: '用 gatehouse alarms --all 列出' }
      : { en: `did you mean ${near}?`, zh: `是不是 ${near}？` },
  )
}
