/** `secret set NAME`: from standard input into a 0600 file beside the site file. What was typed is never shown. */
import { dirname, join, resolve } from 'node:path'
import { ID } from '../../driver/shapes.ts'
import { writeSecret } from '../../config/secrets.ts'
import { CliError, EXIT } from '../exit.ts'
import { findConfig, printJson, printLines, type Session } from '../session.ts'
import { say } from '../text.ts'

/** A key in PEM fits many times; a wrong file does not. */
const BYTES_MAX = 64 * 1024

export async function secret(session: Session, action: string, name: string): Promise<number> {
  const { io, connection } = session
  const { language } = connection
  const fail = (text: string): CliError => new CliError(EXIT.usage, 'E_ARGS', text, say(language, 'secretUsage'))
  if (action !== 'set') throw fail(say(language, 'secretAction', { action }))
  if (!ID.test(name)) throw fail(say(language, 'secretName', { name }))
  const folder = join(dirname(resolve(findConfig(session))), 'secrets')
  if (process.stdin.isTTY) io.err(say(language, 'secretPrompt', { name }))
  const text = (await readInput(process.stdin)).replace(/\r?\n$/, '')
  if (process.stdin.isTTY) io.err('\n')
  if (text === '') throw fail(say(language, 'secretEmpty'))
  if (Buffer.byteLength(text) > BYTES_MAX) throw fail(say(language, 'secretLong'))
  const path = writeSecret(name, text, folder)
  if (session.json) printJson(io, { secret: name, path })
  else printLines(io, [say(language, 'secretStored', { path })])
  return EXIT.done
}

/** A whole file from a pipe; one line, not echoed, from a terminal. */
async function readInput(stdin: NodeJS.ReadStream): Promise<string> {
  let text = ''
  const isTerminal = stdin.isTTY
  if (isTerminal) stdin.setRawMode(true)
  try {
    for await (const chunk of stdin) {
      for (const character of String(chunk)) {
        if (isTerminal && (character === '\r' || character === '\n')) return text
        if (isTerminal && character === '\u0003') throw new CliError(EXIT.usage, 'E_ARGS', 'interrupted')
        if (isTerminal && (character === '\u007f' || character === '\b')) text = text.slice(0, -1)
        else text += character
      }
      if (text.length > BYTES_MAX) return text
    }
    return text
  } finally {
    if (isTerminal) {
      stdin.setRawMode(false)
      stdin.pause()
    }
  }
}
