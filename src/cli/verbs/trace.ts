/** `trace BUS`: a wire as it is, decoded; with --out also into a file, which `replay` reads. */
import { type FileHandle, open } from 'node:fs/promises'
import type { TraceLine } from '../../control/shapes-field.ts'
import { askStream } from '../client.ts'
import { CliError, EXIT } from '../exit.ts'
import { siteTime } from '../format.ts'
import { frameLines } from '../frames.ts'
import { printLines, type Session } from '../session.ts'
import { paint } from '../table.ts'
import { say } from '../text.ts'

export async function trace(session: Session, bus: string, file: string | null): Promise<number> {
  const { connection, io } = session
  let capture: FileHandle | null = null
  let written = 0
  let at = 0
  try {
    for await (const { body, language, timezone } of askStream<TraceLine>(connection, 'trace', { bus })) {
      // Not before the daemon has agreed: a refusal leaves no file behind.
      if (file !== null && capture === null) capture = await openCapture(file, session)
      if (capture !== null && 'head' in body) await capture.write(`${JSON.stringify(body.head)}\n`)
      if (capture !== null && 'chunk' in body) {
        await capture.write(`${JSON.stringify(body.chunk)}\n`)
        written += 1
      }
      if (session.json) {
        io.out(`${JSON.stringify(body)}\n`)
        continue
      }
      const screen = { language, width: Math.min(io.width, 120), color: io.color }
      if ('head' in body) {
        at = body.head.at
        printLines(io, [
          paint(say(language, 'traceHead', { bus: body.head.bus, wire: body.head.wire }), 'bold', io.color),
        ])
      } else if ('lost' in body)
        printLines(io, [paint(say(language, 'traceLost', { n: body.lost }), 'yellow', io.color)])
      else {
        const when = { at, clock: siteTime(timezone) }
        printLines(
          io,
          body.decoded.flatMap((row) => frameLines(row, when, screen)),
        )
      }
    }
  } finally {
    await capture?.close()
  }
  if (file !== null) io.err(`${say(connection.language, 'traceWritten', { n: written, file })}\n`)
  return EXIT.done
}

/** Never over a file that is there: it may be the only record of a fault. */
async function openCapture(file: string, { connection }: Session) {
  try {
    return await open(file, 'wx', 0o640)
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error
    const { language } = connection
    throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'fileExists', { file }), say(language, 'fileExistsHint'))
  }
}
