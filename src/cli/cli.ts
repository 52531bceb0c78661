/** The command line from arguments to exit code. Whatever goes wrong is said in one place, in words or as JSON. */
import { parseArgs } from 'node:util'
import type { Command } from 'commander'
import type { Language } from '../model/site.ts'
import { CliError, EXIT, systemFailure } from './exit.ts'
import type { Hosts } from './hosts.ts'
import type { Io } from './io.ts'
import { printable, printableLines } from './printable.ts'
import { chooseLanguage, glance, openSession, runOptions } from './session.ts'
import { paint, wrap } from './table.ts'
import { say } from './text.ts'
import { checkWords, readWords, type Words } from './words.ts'

/** `argv` without the program's own name. Resolves to the exit code; never rejects. */
export async function runCli(argv: readonly string[], hosts: Hosts, io: Io): Promise<number> {
  const words = readWords(argv)
  const language = languageOf(words, io)
  let exit: number = EXIT.done
  try {
    checkWords(words, language)
    const daemon = daemonOptions(argv)
    if (daemon !== null) return await hosts.run(runOptions(openSession(daemon, io)))
    const { buildProgram } = await import('./program.ts')
    const program = buildProgram(hosts, io, language, (code) => (exit = code))
    const complaint = await parse(program, argv, { words, language, json: argv.includes('--json') })
    if (complaint !== null) throw complaint
    return exit
  } catch (error) {
    const failure = failureOf(error, language)
    if (failure.exit === EXIT.bug && io.env['GATEHOUSE_TRACE'] === '1' && error instanceof Error)
      io.err(`${error.stack ?? ''}\n`)
    report(failure, { io, language: failure.language ?? language, json: argv.includes('--json') })
    return failure.exit
  }
}

/** Runs the verb; what is wrong with the words on the line comes back. */
async function parse(
  program: Command,
  argv: readonly string[],
  { words, language, json }: { words: Words; language: Language; json: boolean },
): Promise<CliError | null> {
  const { isComplaint, unknownVerb, usageError } = await import('./usage.ts')
  const [verb, asked] = words.plain
  const names = new Set(program.commands.map((each) => each.name()))
  const wantsFacts = argv.some((word) => ['-h', '--help', '-V', '--version'].includes(word))
  if (verb === undefined && !wantsFacts) {
    if (!json) program.outputHelp({ error: true })
    return new CliError(EXIT.usage, 'E_ARGS', say(language, 'verbNone'), say(language, 'usageHintAll'))
  }
  if (verb === 'help' && asked === 'help') {
    program.outputHelp()
    return null
  }
  if (verb === 'help' && asked !== undefined && !names.has(asked)) return unknownVerb(asked, program, language)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return null
  } catch (error) {
    if (isComplaint(error)) return usageError(error, { program, verb, language })
    throw error
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

/** A wrong --lang is complained about when it is its turn. */
function languageOf({ options }: Words, io: Io): Language {
  const given = options.get('--lang')
  if (given === 'en' || given === 'zh') return given
  return chooseLanguage(undefined, io.env) ?? glance(options.get('--config') ?? null) ?? 'en'
}

/** What is expected to fail now and then carries its exit code, or is known by what the system says; all else is a bug. */
function failureOf(error: unknown, language: Language): CliError {
  if (error instanceof CliError) return error
  const known = systemFailure(error, language)
  if (known !== null) return known
  const what = error instanceof Error ? error.message : String(error)
  return new CliError(EXIT.bug, 'E_INTERNAL', say(language, 'bug', { what }), say(language, 'bugHint'))
}

const HINT = '  → '

function report(failure: CliError, to: { io: Io; language: Language; json: boolean }): void {
  const { code, message, hint } = failure
  if (to.json) {
    to.io.err(`${JSON.stringify({ error: { code, message, hint } })}\n`)
    return
  }
  const word = paint(`gatehouse: ${say(to.language, 'error')}:`, 'red', to.io.color && to.io.progress)
  const advice = hint === null || hint === '' ? [] : wrap(printable(hint), to.io.width - HINT.length)
  const lines = advice.map((line, at) => `${at === 0 ? HINT : ' '.repeat(HINT.length)}${line}\n`)
  to.io.err(`${word} ${printableLines(message)}\n${lines.join('')}`)
}
