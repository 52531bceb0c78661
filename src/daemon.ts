/**
 * `gatehouse run`: the gateway as a process. Signals, the control socket, systemd, exit codes.
 * SIGTERM and SIGINT stop in order, a second one does no harm. What nobody expected ends the process with 70 after what is
 * committed is safe: it is never logged and carried on with.
 */
import { join } from 'node:path'
import type { RunOptions } from './cli/hosts.ts'
import { findingLines, unsound } from './cli/verbs/findings.ts'
import { EXIT } from './cli/exit.ts'
import { type Checked, checkSite } from './config/check.ts'
import { checkBeside } from './config/checker.ts'
import { openControlSocket, SOCKET_NAME } from './control/socket.ts'
import { openWatchdog } from './control/watchdog.ts'
import { openGateway } from './gateway.ts'
import type { Site } from './model/site.ts'
import { createLog, type Log } from './runtime/log.ts'
import { ROOT } from './runtime/root.ts'
import { Scope } from './runtime/scope.ts'
import { repeat } from './runtime/timer.ts'

/** A disk that keeps no promise for so long is the supervisor's business; until then the site is still watched and alarmed. */
const NOT_DURABLE_MS_MAX = 60_000
/** An orderly stop that takes longer is given up: a supervisor's patience is no better spent. */
const STOP_MS_MAX = 20_000

type Ending = { readonly why: string; readonly exit: number }

/** Checks the site file first: one that `check` refuses is not run, and every finding is said. Resolves with the exit code. */
export async function runGateway(options: RunOptions): Promise<number> {
  const { config, data, json } = options
  const libraries = [join(ROOT, 'drivers')]
  const { site, findings, language: own } = checkSite(config, { libraries })
  const language = options.language ?? own ?? 'en'
  if (site === null && json) throw unsound(findings, { file: config, language })
  const lines = findingLines(findings, language, false)
  if (site === null) {
    process.stderr.write(`${lines.join('\n')}\n`)
    return EXIT.config
  }
  const log = createLog()
  for (const line of lines) log.warn(line)
  return await runDaemon({
    site,
    data,
    log,
    check: () => checkBeside(options.config, libraries),
  })
}

/** Resolves with the exit code when the process is to end. */
export async function runDaemon(options: {
  site: Site
  data: string
  log: Log
  /** The site file as it is when it is asked; left out: SIGHUP changes nothing. */
  check?: () => Promise<Checked>
}): Promise<number> {
  const { log, data } = options
  const scope = new Scope()
  let end: (ending: Ending) => void = () => undefined
  const asked = new Promise<Ending>((resolve) => {
    end = resolve
  })
  const onTerm = (): void => end({ why: 'SIGTERM', exit: EXIT.done })
  const onInt = (): void => end({ why: 'SIGINT', exit: EXIT.done })
  let reload: () => void = () => undefined
  const onHup = (): void => reload()
  process.on('SIGTERM', onTerm)
  process.on('SIGINT', onInt)
  process.on('SIGHUP', onHup)
  let exit: number
  try {
    const gateway = await scope.open(openGateway(options))
    await scope.open(openControlSocket({ path: join(data, SOCKET_NAME), view: gateway.view, log }))
    const watchdog = await scope.open(openWatchdog({ health: gateway.healthy, log }))
    reload = () => {
      gateway.reload('SIGHUP').then(
        ({ findings }) => {
          for (const line of findingLines(findings, 'en', false)) log.warn(line)
        },
        (error: unknown) => log.error({ err: error }, 'reload failed'),
      )
    }
    // What loading and checking the site has left behind is as much as what stays: once, before anybody counts on us.
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    await watchdog.ready()
    log.info({ data, pid: process.pid }, 'ready')
    let durableAt = performance.now()
    const disk = repeat(1000, () => {
      // A full disk still takes alarms, and starting anew would give it no more room: it is one that takes nothing that we leave to others.
      if (gateway.view.store.status().entriesDurable) durableAt = performance.now()
      else if (performance.now() - durableAt > NOT_DURABLE_MS_MAX)
        end({ why: `nothing could be made durable for ${NOT_DURABLE_MS_MAX / 1000} s`, exit: EXIT.disk })
    })
    scope.defer(disk.close)
    const ending = await asked
    exit = ending.exit
    log.info({ why: ending.why }, 'stopping')
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
  return exit
}
