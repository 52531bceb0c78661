/** Logs are facts: one line, structured, when something changed. Synchronous to stdout, so nothing is lost at a crash. */
import { type Logger, pino } from 'pino'

export type Log = Logger

export function createLog(options: { level?: string; service?: boolean } = {}): Log {
  return pino(
    {
      base: null,
      level: options.level ?? 'info',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 1, sync: true }),
  )
}

export const SILENT: Log = pino({ level: 'silent' })
