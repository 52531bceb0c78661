/**
 * `gatehouse run`: the gateway as a process. Signals, the control socket, systemd, exit codes.
 * SIGTERM and SIGINT stop in order, a second one does no harm. What nobody expected ends the process with 70 after what is
 * committed is safe: it is never logged and carried on with.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findingLines } from './cli/verbs/findings.ts'
import { EXIT } from './cli/exit.ts'
import { checkSite } from './config/check.ts'
import { openControlSocket, SOCKET_NAME } from './control/socket.ts'
import { openWatchdog } from './control/watchdog.ts'
import { openGateway } from './gateway.ts'
import type { Language, Site } from './model/site.ts'
import { createLog, type Log } from './runtime/log.ts'
import { ROOT } from './runtime/root.ts'
import { Scope } from './runtime/scope.ts'

/** An orderly stop that takes longer is given up: a supervisor's patience is no better spent. */
const STOP_MS_MAX = 20_000

/** Checks the site file first: one that `check` refuses is not run, and every finding is said. Resolves with the exit code. */
export async function runGateway(options: { config: string; data: string; language?: Language }): Promise<number> {
  const { site, findings } = checkSite(options.config, { libraries: [join(ROOT, 'drivers')] })
  for (const line of findingLines(findings, options.language ?? 'en', false)) process.stderr.write(`${line}\n`)
  if (site === null) return EXIT.config
  return await runDaemon({ site, data: options.data, log: createLog() })
}

/** Resolves with the exit code when the process is to end. */
export async function runDaemon(options: { site: Site; data: string; log: Log }): Promise<number> {
  const { log, data } = options
  await mkdir(data, { recursive: true, mode: 0o750 })
  const scope = new Scope()
  let end: (why: string) => void = () => undefined
  const asked = new Promise<string>((resolve) => {
    end = resolve
  })
  const onTerm = (): void => end('SIGTERM')
  const onInt = (): void => end('SIGINT')
  const onHup = (): void => {
    log.warn('SIGHUP: reload is not available yet; restart to take a changed site file')
  }
  process.on('SIGTERM', onTerm)
  process.on('SIGINT', onInt)
  process.on('SIGHUP', onHup)
  try {
    const gateway = await scope.open(openGateway(options))
    await scope.open(openControlSocket({ path: join(data, SOCKET_NAME), view: gateway.view, log }))
    const watchdog = await scope.open(openWatchdog({ health: gateway.healthy, log }))
    await watchdog.ready()
    log.info({ data, pid: process.pid }, 'ready')
    const why = await asked
    log.info({ why }, 'stopping')
    await watchdog.stopping()
  } finally {
    const stuck = setTimeout(() => {
      log.fatal(`not stopped after ${STOP_MS_MAX} ms`)
      process.exit(70)
    }, STOP_MS_MAX)
    stuck.unref()
    await scope.close()
    clearTimeout(stuck)
  }
  log.info('stopped')
  return 0
}
