/** The words on the line before the parser of all verbs is loaded: which verb, which language, what is missing or yet to come. */
import type { Language } from '../model/site.ts'
import { CliError, EXIT } from './exit.ts'
import { say } from './text.ts'

/** The common options that take a value. */
const VALUED: Readonly<Record<string, string>> = {
  '-c': '--config',
  '--config': '--config',
  '-d': '--data',
  '--data': '--data',
  '--lang': '--lang',
}

/** Of the contract, but not built yet; `alarms` has more to it than what there is. */
const LATER = new Set('shelve receive health swap doctor support backup restore verify'.split(' '))
const LATER_ALARMS = new Set(['test', 'report'])

export type Words = {
  /** What is no option, in order: the verb first. */
  readonly plain: readonly string[]
  /** By their long names, the last one wins. */
  readonly options: ReadonlyMap<string, string>
  /** A common option without its value. */
  readonly missing: string | null
}

export function readWords(argv: readonly string[]): Words {
  const plain: string[] = []
  const options = new Map<string, string>()
  let missing: string | null = null
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (word === '--') return { plain: [...plain, ...argv.slice(at + 1)], options, missing }
    const name = VALUED[word]
    const [long = '', ...value] = word.split('=')
    if (name !== undefined) {
      const next = argv[at + 1]
      if (next === undefined || next === '' || next.startsWith('-')) missing ??= word
      else {
        options.set(name, next)
        at += 1
      }
    } else if (long.startsWith('--') && VALUED[long] !== undefined) {
      if (value.join('=') === '') missing ??= long
      else options.set(VALUED[long], value.join('='))
    } else if (!word.startsWith('-')) plain.push(word)
  }
  return { plain, options, missing }
}

/** Throws for what can be said without knowing the verbs: a common option without its value, a verb that is yet to come. */
export function checkWords({ plain, missing }: Words, language: Language): void {
  if (missing !== null)
    throw new CliError(
      EXIT.usage,
      'E_ARGS',
      say(language, 'optionEmpty', { option: missing }),
      say(language, VALUE_HINTS[VALUED[missing] ?? ''] ?? 'usageHintAll'),
    )
  const later = laterVerb(plain[0] === 'help' ? plain.slice(1) : plain)
  if (later === null) return
  throw new CliError(
    EXIT.usage,
    'E_UNKNOWN_OP',
    say(language, 'verbLater', { verb: later }),
    say(language, 'usageHintAll'),
  )
}

const VALUE_HINTS: Readonly<Record<string, 'optionConfig' | 'optionData' | 'optionLang'>> = {
  '--config': 'optionConfig',
  '--data': 'optionData',
  '--lang': 'optionLang',
}

function laterVerb([verb = '', next = '']: readonly string[]): string | null {
  if (LATER.has(verb)) return verb
  return verb === 'alarms' && LATER_ALARMS.has(next) ? `${verb} ${next}` : null
}
