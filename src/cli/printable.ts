/**
 * Names and values come from devices and files: what would steer the terminal (control characters, bidirectional overrides,
 * lone surrogates, line breaks inside a name) is shown as `\x1b`, not sent.
 */

/** First and last of each range, ascending. Unicode: Cc, and of Cf what hides or turns text. */
const HARMFUL: readonly (readonly [number, number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xd800, 0xdfff],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe007f],
]

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

export function printable(text: string): string {
  let shown = ''
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    shown += isHarmful(code) ? (NAMED[character] ?? escaped(code)) : character
  }
  return shown
}

/** For texts of several lines of our own making (a caret under a fault): line breaks stay. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

function isHarmful(code: number): boolean {
  if (code >= 0x20 && code < 0x7f) return false
  return HARMFUL.some(([first, last]) => code >= first && code <= last)
}

function escaped(code: number): string {
  const hex = code.toString(16)
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`
}
