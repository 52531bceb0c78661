/** What `check` has to say: one clear line with a place, in both languages. */
import type { Text } from '../model/point.ts'
import { MESSAGES } from './messages.ts'

export type Severity = 'error' | 'warning'

export type Finding = {
  /** As it was named by whoever asked, or relative to it: what an editor can open. */
  readonly file: string
  /** 1-based. */
  readonly line: number
  readonly col: number
  readonly severity: Severity
  /** Which message it is: stable for programs and tests. */
  readonly id: MessageId
  readonly message: Text
  /** The expression and a caret under the fault, two lines; null where there is no expression. */
  readonly caret: string | null
}

export type MessageId = keyof typeof MESSAGES
type Arguments<Id extends MessageId> = Parameters<(typeof MESSAGES)[Id]>

export type Position = { readonly file: string; readonly line: number; readonly col: number }

/** Collects findings. The number kept is bounded: nobody reads more, and a broken table could give a million. */
export class Findings {
  readonly #all: Finding[] = []
  readonly #seen = new Set<string>()
  #errors = 0
  #dropped = false

  static readonly max = 500

  error<Id extends MessageId>(at: Position, id: Id, ...args: Arguments<Id>): void {
    this.add(make(at, 'error', id, null, args))
  }

  warn<Id extends MessageId>(at: Position, id: Id, ...args: Arguments<Id>): void {
    this.add(make(at, 'warning', id, null, args))
  }

  expression<Id extends MessageId>(at: Position, caret: string, id: Id, ...args: Arguments<Id>): void {
    this.add(make(at, 'error', id, caret, args))
  }

  /** The same fault at the same place is said once, however many devices share it. */
  add(finding: Finding): void {
    const key = `${finding.file}:${finding.line}:${finding.col}:${finding.message.en}`
    if (this.#seen.has(key)) return
    if (finding.severity === 'error') this.#errors += 1
    if (this.#all.length >= Findings.max) {
      this.#dropped = true
      return
    }
    this.#seen.add(key)
    this.#all.push(finding)
  }

  get errors(): number {
    return this.#errors
  }

  /** By file in order of first mention, then by place. */
  sorted(): readonly Finding[] {
    const order = new Map<string, number>()
    for (const { file } of this.#all) if (!order.has(file)) order.set(file, order.size)
    const rank = (finding: Finding): number => order.get(finding.file) ?? 0
    const sorted = this.#all.toSorted((a, b) => rank(a) - rank(b) || a.line - b.line || a.col - b.col)
    const last = sorted.at(-1)
    if (!this.#dropped || last === undefined) return sorted
    return [...sorted, make(last, 'error', 'tooMany', null, [{ max: Findings.max }])]
  }
}

/** `site.yaml:31:14 address …`, and the caret below where there is one. */
export function findingText(finding: Finding, language: 'en' | 'zh'): string {
  const line = `${finding.file}:${finding.line}:${finding.col} ${finding.message[language]}`
  return finding.caret === null ? line : `${line}\n${finding.caret}`
}

/** The shape of `check --json`. */
export function findingJson(finding: Finding, language: 'en' | 'zh'): Readonly<Record<string, string | number>> {
  const { file, line, col, severity, message } = finding
  return { file, line, col, severity, message: message[language] }
}

function make<Id extends MessageId>(
  at: Position,
  severity: Severity,
  id: Id,
  caret: string | null,
  args: Arguments<Id>,
): Finding {
  // One table, one call: the arguments were checked against this very entry by the caller's type.
  const build = MESSAGES[id] as (...given: Arguments<Id>) => Text
  return { file: at.file, line: at.line, col: at.col, severity, id, message: build(...args), caret }
}
