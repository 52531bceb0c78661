/**
 * Why the process cannot begin, or go on, for a reason that somebody on site can remove: thrown by what opens something, shown by the
 * command line with its exit code. It is no bug.
 */
import type { Text } from '../model/point.ts'

export type HaltKind = 'usage' | 'unreachable' | 'locked' | 'disk' | 'permission'
export type HaltWords = { readonly kind: HaltKind; readonly text: Text; readonly hint: Text | null }

export class Halt extends Error {
  readonly kind: HaltKind
  readonly text: Text
  /** What to do. */
  readonly hint: Text | null

  constructor({ kind, text, hint }: HaltWords) {
    super(text.en)
    this.kind = kind
    this.text = text
    this.hint = hint
  }
}
