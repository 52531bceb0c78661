/** What the parser found wrong with the words on the line, in our words and both languages. */
import type { Command } from 'commander'
import { nearest } from '../derive/nearest.ts'
import type { Language } from '../model/site.ts'
import { CliError, EXIT } from './exit.ts'
import { say } from './text.ts'

type Complaint = Error & { code: string; exitCode: number }

export function isComplaint(error: unknown): error is Complaint {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('commander.')
}

/** null: it was asked for help or the version, and gave it. */
export function usageError(
  error: Complaint,
  { program, verb, language }: { program: Command; verb: string | undefined; language: Language },
): CliError | null {
  if (error.exitCode === 0) return null
  const command = program.commands.find((each) => each.name() === verb)
  const how =
    command === undefined ? say(language, 'usageHintAll') : say(language, 'usageHint', { verb: command.name() })
  const fail = (message: string, hint = how): CliError => new CliError(EXIT.usage, 'E_ARGS', message, hint)
  /** What its sentences have in quotes. */
  const [, word = ''] = /'([^']*)'/.exec(error.message) ?? []
  switch (error.code) {
    case 'commander.unknownCommand':
      return unknownVerb(word, program, language)
    case 'commander.unknownOption':
      return fail(say(language, 'noOption', { option: word }), nearOption(word, program, command, language) ?? how)
    case 'commander.missingArgument':
      return fail(say(language, 'wordMissing', { word: `<${word}>` }))
    case 'commander.optionMissingArgument':
      return fail(say(language, 'optionEmpty', { option: word }))
    case 'commander.excessArguments': {
      const [, n = '', given = '', words = ''] =
        /Expected (\d+) arguments? but got (\d+): ([\s\S]*)\.$/.exec(error.message) ?? []
      return fail(say(language, 'wordExcess', { verb: verb ?? '', n, given, words }))
    }
    default:
      return fail(error.message.replace(/^error: /, ''))
  }
}

export function unknownVerb(word: string, program: Command, language: Language): CliError {
  const near = nearest(
    word,
    program.commands.map((each) => each.name()),
  )
  return new CliError(
    EXIT.usage,
    'E_ARGS',
    say(language, 'noVerb', { verb: word }),
    near === null ? say(language, 'usageHintAll') : say(language, 'didYouMean', { name: near }),
  )
}

function nearOption(word: string, program: Command, command: Command | undefined, language: Language): string | null {
  const options = [...program.options, ...(command?.options ?? [])].flatMap(({ long }) => long ?? [])
  const near = nearest(word, options)
  return near === null ? null : say(language, 'didYouMean', { name: near })
}
