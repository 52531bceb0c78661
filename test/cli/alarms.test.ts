/** What an alarm says is never cut in `alarms`, on a narrow screen or in a pipe. */
import { expect, test } from 'vitest'
import { alarmScreen } from '../../src/cli/verbs/alarms.ts'
import { width } from '../../src/cli/table.ts'
import type { AlarmRow } from '../../src/control/shapes.ts'

const LONG: AlarmRow = {
  no: 7,
  id: '01M8538NDG0Z9GTD8CG9VFCX34',
  rule: 'uplink_undelivered.cloud',
  device: null,
  priority: 'high',
  state: 'unacknowledged',
  active: true,
  acked: false,
  raisedAt: 1_700_000_000_000,
  place: {},
  inputs: {},
  text: {
    en: 'Uplink cloud: the broker takes our data, nobody receives it, and this sentence goes on beyond any screen there is',
    zh: '上行 cloud：服务器已接收数据但没有任何消费者订阅，这句话比任何终端都要长，因此必须换行而不是截断',
  },
  advice: {
    en: 'Check the ingest service and its subscription on the cloud side; nothing is lost meanwhile',
    zh: '检查云端接入服务及其订阅；期间数据不会丢失',
  },
  repeats: 1,
}

const squeezed = (lines: readonly string[]): string => lines.join(' ').replaceAll(/\s+/g, '')

test.each([
  ['en', 80],
  ['zh', 80],
  ['en', 40],
  ['zh', 40],
  ['en', Number.POSITIVE_INFINITY],
  ['zh', Number.POSITIVE_INFINITY],
] as const)('%s on %d columns', (language, columns) => {
  const lines = alarmScreen([LONG], LONG.raisedAt + 600_000, { language, width: columns, color: false })
  for (const line of lines) expect(width(line), line).toBeLessThanOrEqual(columns)
  expect(squeezed(lines)).toContain(squeezed([LONG.text[language]]).slice(0, 10))
  for (const text of [LONG.text, LONG.advice])
    expect(squeezed(lines)).toContain(squeezed([text?.[language] ?? '']).slice(-20))
  expect(lines.join('\n')).not.toContain('…')
})
