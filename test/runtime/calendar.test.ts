import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openCalendar } from '../../src/runtime/calendar.ts'
import { SILENT } from '../../src/runtime/log.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 23, 15, 58, 30) })
})
afterEach(() => {
  vi.useRealTimers()
})

function open(options: { trusted?: boolean; ranAt?: number | null; run?: () => Promise<void> } = {}) {
  const runs: string[] = []
  const noted: number[] = []
  const calendar = openCalendar({
    jobs: [
      {
        name: 'midnight',
        cron: '0 0 * * *',
        everyMs: 86_400_000,
        run: options.run ?? (async () => void runs.push(new Date().toISOString())),
      },
    ],
    timezone: 'Asia/Shanghai',
    now: () => (options.trusted === false ? null : Date.now()),
    ranAt: () => options.ranAt ?? null,
    ran: (_, at) => void noted.push(at),
    log: SILENT,
  })
  return { calendar, runs, noted }
}

test("midnight is the site's midnight", async () => {
  const { calendar, runs, noted } = open()
  await vi.advanceTimersByTimeAsync(120_000)
  expect(runs).toHaveLength(1)
  expect(runs[0]).toMatch(/^2026-11-23T16:00:0/)
  expect(noted).toHaveLength(1)
  await calendar.close()
  await vi.advanceTimersByTimeAsync(86_400_000)
  expect(runs).toHaveLength(1)
})

test('a run that was missed while the power was off is made up for once', async () => {
  const { calendar, runs } = open({ ranAt: Date.now() - 2 * 86_400_000 })
  await vi.advanceTimersByTimeAsync(1000)
  expect(runs).toHaveLength(1)
  await calendar.close()
})

test('nothing runs by a clock that is not trusted; a failing job is not noted as run', async () => {
  const untrusted = open({ trusted: false })
  await vi.advanceTimersByTimeAsync(120_000)
  expect(untrusted.runs).toEqual([])
  await untrusted.calendar.close()
  vi.setSystemTime(Date.UTC(2026, 10, 24, 15, 59, 30))
  const failing = open({ run: () => Promise.reject(new Error('no answer')) })
  await vi.advanceTimersByTimeAsync(120_000)
  expect(failing.noted).toEqual([])
  await failing.calendar.close()
})
