/** `replay FILE`: a capture through the real decoder. With the site file at hand, the values of its points come out, as they did then. */
import { type FileHandle, open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { type CaptureHead, parseChunk, parseHead } from '../../control/capture.ts'
import { type Decoded, FrameReader } from '../../control/frames.ts'
import { type WireBook, wireBook } from '../../control/wirebook.ts'
import { CliError, EXIT } from '../exit.ts'
import { siteTime } from '../format.ts'
import { frameLines } from '../frames.ts'
import { printLines, type Session } from '../session.ts'
import { say } from '../text.ts'

/** A line longer than this is none of ours. */
const LINE_CHARS_MAX = 64 * 1024

/** Exit 1 when some bytes are in no frame. */
export async function replay(session: Session, file: string): Promise<number> {
  const { io } = session
  const tally = createTally()
  let reader: FrameReader | null = null
  let show: (row: Decoded) => void = () => undefined
  let number = 0
  const handle = await openCapture(session, file)
  const input = createInterface({ input: handle.createReadStream({ encoding: 'utf8' }), crlfDelay: Infinity })
  for await (const line of input) {
    number += 1
    if (line.trim() === '') continue
    if (line.length > LINE_CHARS_MAX) throw damaged(session, file, number, 'the line is too long')
    if (reader === null) {
      const head = parseHead(line)
      if (typeof head === 'string') throw damaged(session, file, number, head)
      const found = await bookFor(session, head)
      reader = new FrameReader(found.book, { framings: head.framings, language: session.connection.language ?? 'en' })
      show = shower(session, head, found)
      continue
    }
    const chunk = parseChunk(line)
    if (typeof chunk === 'string') throw damaged(session, file, number, chunk)
    for (const row of reader.push(chunk)) {
      tally.add(row)
      show(row)
    }
    if (io.signal.aborted) break
  }
  if (reader === null) throw damaged(session, file, 1, 'it is empty')
  for (const row of reader.flush()) {
    tally.add(row)
    show(row)
  }
  const { frames, values, junk, exchanges, slowestMs } = tally.sum
  if (session.json) io.out(`],${JSON.stringify(tally.sum).slice(1)}\n`)
  else {
    const ms = slowestMs.toFixed(1)
    io.err(`${say(session.connection.language, 'replayEnd', { frames, values, junk, exchanges, ms })}\n`)
  }
  return junk === 0 ? EXIT.done : EXIT.partly
}

async function openCapture({ connection }: Session, file: string): Promise<FileHandle> {
  try {
    const handle = await open(file)
    if ((await handle.stat()).isFile()) return handle
    await handle.close()
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') throw error
  }
  const { language } = connection
  throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'noFile', { file }), say(language, 'badCaptureHint'))
}

type Found = { readonly book: WireBook | null; readonly timezone: string }

/** The bus of the site file that the daemon would take; null: there is none, or it has no such bus. */
async function bookFor(session: Session, head: CaptureHead): Promise<Found> {
  const { loadQuietly } = await import('./site.ts')
  const site = loadQuietly(session)
  const bus = site?.buses.find(({ id }) => id === head.bus)
  if (site === null || bus === undefined) {
    if (!session.json) session.io.err(`${say(session.connection.language, 'replayPlain')}\n`)
    return { book: null, timezone: site?.timezone ?? 'UTC' }
  }
  return { book: wireBook(site, bus), timezone: site.timezone }
}

function shower({ io, json, connection }: Session, { at }: CaptureHead, { timezone }: Found): (row: Decoded) => void {
  // One document, written as it comes: a capture may be long.
  if (json) {
    io.out('{"rows":[')
    let before = ''
    return (row) => {
      io.out(`${before}${JSON.stringify(row)}`)
      before = ',\n'
    }
  }
  const clock = siteTime(timezone)
  const screen = { language: connection.language ?? 'en', width: Math.min(io.width, 120), color: io.color } as const
  return (row) =>
    printLines(io, frameLines({ ...row, frames: [...row.frames], values: [...row.values] }, { at, clock }, screen))
}

function createTally() {
  const sum = { frames: 0, values: 0, junk: 0, exchanges: 0, slowestMs: 0 }
  return {
    sum,
    add({ frames, values, junk, tookUs }: Decoded) {
      sum.frames += frames.length
      sum.values += values.length
      sum.junk += junk.length / 2
      if (tookUs === null) return
      sum.exchanges += 1
      sum.slowestMs = Math.max(sum.slowestMs, tookUs / 1000)
    },
  }
}

function damaged({ connection }: Session, file: string, line: number, why: string): CliError {
  const { language } = connection
  return new CliError(
    EXIT.usage,
    'E_ARGS',
    say(language, 'badCapture', { file, line, why }),
    say(language, 'badCaptureHint'),
  )
}
