/**
 * Names and values come from devices and files: what would steer the terminal (control characters, bidirectional overrides,
 * lone surrogates, line breaks inside a name) is shown as `\x1b`, not sent.
 */
// biome-ignore format: one range a line
const HARMFUL =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]/gu

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

export function printable(text: string): string {
  return text.replace(HARMFUL, (character) => {
    const code = character.codePointAt(0) ?? 0
    return NAMED[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
  })
}

/** For texts of several lines of our own making (a caret under a fault): line breaks stay. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
