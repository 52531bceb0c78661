/** The command line from arguments to exit code. Whatever goes wrong is said in one place, in words or as JSON. */
import { CommanderError } from 'commander'
import type { Language } from '../model/site.ts'
import { CliError, EXIT } from './exit.ts'
import type { Hosts } from './hosts.ts'
import type { Io } from './io.ts'
import { printable, printableLines } from './printable.ts'
import { buildProgram, usageError } from './program.ts'
import { chooseLanguage } from './session.ts'
import { paint } from './table.ts'
import { say } from './text.ts'

/** `argv` without the program's own name. Resolves to the exit code; never rejects. */
export async function runCli(argv: readonly string[], hosts: Hosts, io: Io): Promise<number> {
  const language = languageAsked(argv, io)
  let exit: number = EXIT.done
  try {
    const program = buildProgram(hosts, io, language, (code) => (exit = code))
    if (argv.length === 0) {
      program.outputHelp({ error: true })
      return EXIT.usage
    }
    await program.parseAsync([...argv], { from: 'user' })
    return exit
  } catch (error) {
    const failure = failureOf(error, argv, language)
    if (failure === null) return EXIT.done
    if (failure.exit === EXIT.bug && io.env['GATEHOUSE_TRACE'] === '1' && error instanceof Error)
      io.err(`${error.stack ?? ''}\n`)
    report(failure, { io, language, json: argv.includes('--json') })
    return failure.exit
  }
}

/** Help and complaints come before the options are parsed; a wrong --lang is complained about when it is its turn. */
function languageAsked(argv: readonly string[], io: Io): Language | null {
  const at = argv.indexOf('--lang')
  const given = at >= 0 ? argv[at + 1] : argv.find((word) => word.startsWith('--lang='))?.slice('--lang='.length)
  return given === 'en' || given === 'zh' ? given : chooseLanguage(undefined, io.env)
}

/** Errors of the daemon and the disk that `run` and `demo` throw carry their exit code themselves. */
function failureOf(error: unknown, argv: readonly string[], language: Language | null): CliError | null {
  if (error instanceof CliError) return error
  if (error instanceof CommanderError) return usageError(error, argv, language)
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
