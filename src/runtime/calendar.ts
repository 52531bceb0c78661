/**
 * Jobs by the calendar of the site's time zone: audits, reports, freezes; never polling. When a job last ran is kept by the
 * caller, and one that was missed while the power was off is made up for once.
 */
import { createTask, type ScheduledTask, setLogger, validate } from 'node-cron'
import type { Log } from './log.ts'

export type Job = {
  readonly name: string
  /** Five or six fields, as cron has them. */
  readonly cron: string
  /** Longer without a run: it was missed. Infinity: what was missed is not made up for. */
  readonly everyMs: number
  readonly run: () => Promise<void>
}

/** Is this a time that a job can have? */
export function isCron(text: string): boolean {
  return validate(text)
}

export type Calendar = { readonly close: () => Promise<void> }

/** `ranAt`: UTC ms of a job's last run, null: never. `ran` is called after each run that did not fail. */
export function openCalendar(options: {
  readonly jobs: readonly Job[]
  readonly timezone: string
  /** UTC ms; null while the clock is not trusted: no job runs by a clock that may be in 1970. */
  readonly now: () => number | null
  readonly ranAt: (job: string) => number | null
  readonly ran: (job: string, at: number) => void
  readonly log: Log
}): Calendar {
  const { log } = options
  setLogger({
    info: (message) => log.debug({ calendar: message }),
    warn: (message) => log.warn({ calendar: message }),
    error: (message) => log.error({ calendar: String(message) }),
    debug: (message) => log.trace({ calendar: String(message) }),
  })
  const running = new Set<Promise<void>>()
  const tasks: ScheduledTask[] = []

  async function perform(job: Job): Promise<void> {
    const at = options.now()
    if (at === null) return
    try {
      await job.run()
      options.ran(job.name, at)
    } catch (error) {
      // The next slot tries again; what the job would have told is then told by that run.
      log.error({ job: job.name, err: error }, 'calendar job failed')
    }
  }

  function start(job: Job): Promise<void> {
    const work = perform(job)
    running.add(work)
    return work.finally(() => running.delete(work))
  }

  for (const job of options.jobs) {
    const task = createTask(job.cron, () => start(job), { timezone: options.timezone, noOverlap: true, name: job.name })
    tasks.push(task)
    void task.start()
    const now = options.now()
    const last = options.ranAt(job.name)
    if (now !== null && last !== null && now - last > job.everyMs) void start(job)
  }

  return {
    async close() {
      // stop() does not wait for a job that runs (node-cron 4.6): we do.
      for (const task of tasks) await task.destroy()
      await Promise.allSettled(running)
    },
  }
}
