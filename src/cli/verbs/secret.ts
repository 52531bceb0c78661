/** `secret set NAME`: from standard input into a 0600 file beside the site file. What was typed is never shown. */
import { isUtf8 } from 'node:buffer'
import { dirname, join, resolve } from 'node:path'
import { SECRET_NAME } from '../../driver/shapes.ts'
import { writeSecret } from '../../config/secrets.ts'
import type { Language } from '../../model/site.ts'
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
  if (!SECRET_NAME.test(name)) throw fail(say(language, 'secretName', { name }))
  const folder = join(dirname(resolve(findConfig(session))), 'secrets')
  const given = process.stdin.isTTY ? await askTyped(session, name) : await readPiped(process.stdin)
  if (given === null) throw fail(say(language, 'secretBinary'))
  const text = given.replace(/\r?\n$/, '')
  if (text === '') throw fail(say(language, 'secretEmpty'))
  if (Buffer.byteLength(text) > BYTES_MAX) throw fail(say(language, 'secretLong'))
  const path = writeSecret(name, text, folder)
  if (session.json) printJson(io, { secret: name, path })
  else printLines(io, [say(language, 'secretStored', { path })])
  return EXIT.done
}

async function askTyped({ io, connection: { language } }: Session, name: string): Promise<string> {
  io.err(say(language, 'secretPrompt', { name }))
  const text = await readTyped(process.stdin, language)
  io.err('\n')
  return text
}

/** One line, not echoed. */
async function readTyped(stdin: NodeJS.ReadStream, language: Language): Promise<string> {
  let text = ''
  // A character may come in two pieces.
  stdin.setEncoding('utf8')
  stdin.setRawMode(true)
  try {
    for await (const chunk of stdin) {
      for (const character of String(chunk)) {
        if (character === '\r' || character === '\n') return text
        if (character === '\u0003') throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'interrupted'))
        if (character === '\u007f' || character === '\b') text = Array.from(text).slice(0, -1).join('')
        else text += character
      }
      if (text.length > BYTES_MAX) return text
    }
    return text
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
  }
}

/** A whole file; null: it is no text. */
async function readPiped(stdin: NodeJS.ReadStream): Promise<string | null> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    const part: Buffer = chunk
    parts.push(part)
    bytes += part.length
    if (bytes > 2 * BYTES_MAX) break
  }
  const whole = Buffer.concat(parts)
  // What is too long may end in the middle of a character; it is refused for its length.
  return isUtf8(whole) || whole.length > BYTES_MAX ? whole.toString('utf8') : null
}
