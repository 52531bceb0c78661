/** What the library complains of, in words for people who never heard of its types. */
import type { ParseError, TypeError } from '@marcbachmann/cel-js'
import { createFlaw, type Flaw } from './flaw.ts'

/** How the library's type names read to an electrician. */
const SPOKEN: Readonly<Record<string, string>> = {
  double: 'a number',
  bool: 'true/false',
  string: 'text',
  null: 'null',
  'list<double>': 'a list of numbers',
  'list<string>': 'a list of texts',
  'list<bool>': 'a list of true/false',
}

/** The library's complaint in our words; where it has nothing better, its own sentence. */
export function foreignFlaw(source: string, error: ParseError | TypeError | undefined): Flaw {
  if (error === undefined) return createFlaw(source, 'the expression does not fit its types', 0, source.length)
  const { start, end } = error.range ?? { start: 0, end: source.length }
  return createFlaw(source, reword(error.code, error.summary, source.slice(start, end)), start, end)
}

function reword(code: string, summary: string, at: string): string {
  switch (code) {
    case 'no_such_overload': {
      const [, operands] = /^no such overload: (.*)$/.exec(summary) ?? []
      return `cannot work out ${speak(operands ?? summary)}: the types do not fit`
    }
    case 'invalid_logical_operand':
      return '&& and || join true/false: compare the value with something, as value > 0'
    case 'invalid_condition_type':
      return 'before ? there must be true/false'
    case 'incompatible_ternary_branches':
      return 'both values of ?: must be of one type'
    case 'heterogeneous_list_element':
      return 'all values of a list must be of one type'
    case 'reserved_identifier':
      return `${at} is a word of CEL and cannot be a name`
    case 'unexpected_character':
      return at === '=' ? 'a comparison is written ==' : summary
    case 'unexpected_token':
    case 'expected_token':
      return at === '' ? 'the expression ends too early' : `${at} was not expected here`
    case 'limit_exceeded':
      return 'too long or nested too deep: split it'
    default:
      return summary
  }
}

export function speak(operands: string): string {
  return operands.replace(/list<\w+>|\b(?:double|bool|string|null)\b/g, (type) => SPOKEN[type] ?? type)
}
