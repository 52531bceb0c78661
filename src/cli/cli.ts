/** The command line from arguments to exit code. Whatever goes wrong is said in one place, in words or as JSON. */
import { parseArgs } from 'node:util'
import type { Language } from '../model/site.ts'
import { CliError, EXIT, systemFailure } from './exit.ts'
import type { Hosts } from './hosts.ts'
import type { Io } from './io.ts'
import { printable, printableLines } from './printable.ts'
import { chooseLanguage, openSession, runOptions } from './session.ts'
import { paint } from './table.ts'
import { say } from './text.ts'

/** `argv` without the program's own name. Resolves to the exit code; never rejects. */
export async function runCli(argv: readonly string[], hosts: Hosts, io: Io): Promise<number> {
  const language = languageAsked(argv, io)
  let exit: number = EXIT.done
  try {
    const daemon = daemonOptions(argv)
    if (daemon !== null) {
      const session = openSession(daemon, io)
      return await hosts.run(runOptions(session))
    }
    const { buildProgram } = await import('./program.ts')
    const program = buildProgram(hosts, io, language, (code) => (exit = code))
    if (argv.length === 0) {
      program.outputHelp({ error: true })
      return EXIT.usage
    }
    await program.parseAsync([...argv], { from: 'user' })
    return exit
  } catch (error) {
    const failure = await failureOf(error, argv, language)
    if (failure === null) return EXIT.done
    if (failure.exit === EXIT.bug && io.env['GATEHOUSE_TRACE'] === '1' && error instanceof Error)
      io.err(`${error.stack ?? ''}\n`)
    report(failure, { io, language, json: argv.includes('--json') })
    return failure.exit
  }
}

/** `run` and its plain options, without loading the parser of all the others: it would stay in the daemon's memory. */
function daemonOptions(
  argv: readonly string[],
): { config?: string; data?: string; json?: boolean; lang?: string } | null {
  if (argv[0] !== 'run') return null
  try {
    const { values } = parseArgs({
      args: argv.slice(1),
      options: {
        config: { type: 'string', short: 'c' },
        data: { type: 'string', short: 'd' },
        json: { type: 'boolean' },
        lang: { type: 'string' },
      },
    })
    return values
  } catch (error) {
    // Anything else, --help too: the other parser knows what to say.
    if (error instanceof TypeError) return null
    throw error
  }
}

function isCommanderError(error: unknown): error is Error & { code: string; exitCode: number } {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('commander.')
}

/** Help and complaints come before the options are parsed; a wrong --lang is complained about when it is its turn. */
function languageAsked(argv: readonly string[], io: Io): Language | null {
  const at = argv.indexOf('--lang')
  const given = at >= 0 ? argv[at + 1] : argv.find((word) => word.startsWith('--lang='))?.slice('--lang='.length)
  return given === 'en' || given === 'zh' ? given : chooseLanguage(undefined, io.env)
}

/** What is expected to fail now and then carries its exit code, or is known by what the system says; all else is a bug. */
async function failureOf(error: unknown, argv: readonly string[], language: Language | null): Promise<CliError | null> {
  if (error instanceof CliError) return error
  if (isCommanderError(error)) return (await import('./program.ts')).usageError(error, argv, language)
  const known = systemFailure(error)
  if (known !== null) return known
  const what = error instanceof Error ? error.message : String(error)
  return new CliError(EXIT.bug, 'E_INTERNAL', say(language, 'bug', { what }), say(language, 'bugHint'))
}

function report(failure: CliError, to: { io: Io; language: Language | null; json: boolean }): void {
  const { code, message, hint } = failure
  if (to.json) {
    to.io.err(`${JSON.stringify({ error: { code, message, hint } })}\n`)
    return
  }
  const word = paint(`gatehouse: ${say(to.language, 'error')}:`, 'red', to.io.color && to.io.progress)
  to.io.err(`${word} ${printableLines(message)}\n${hint === null || hint === '' ? '' : `  → ${printable(hint)}\n`}`)
}
