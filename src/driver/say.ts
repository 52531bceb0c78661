/** What the tables of messages are made with: both languages at once. */
import type { Text } from '../model/point.ts'

type Make<P> = (p: P) => Text
export type Near = string | null

export function meant(near: Near): Text {
  return near === null ? { en: '', zh: '' } : { en: `; did you mean ${near}?`, zh: `；是否应为 ${near}？` }
}

export function among(known: readonly string[]): Text {
  if (known.length === 0 || known.length > 24) return { en: '', zh: '' }
  return { en: `; known here: ${known.join(' ')}`, zh: `；此处可用：${known.join(' ')}` }
}

export const say =
  <P>(make: (p: P) => readonly [en: string, zh: string]): Make<P> =>
  (p) => {
    const [en, zh] = make(p)
    return { en, zh }
  }

/** Chinese sets a space before a word in Latin letters or a number. */
export function apart(zh: string): string {
  return /^[\w-]/.test(zh) ? ` ${zh}` : zh
}
