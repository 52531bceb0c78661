/** What these bytes are, or why not. */
import type { Explained } from '../../protocols/explained.ts'
import { CliError, EXIT } from '../exit.ts'
import { formatCause, formatQuantity } from '../format.ts'
import { printable } from '../printable.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { paint } from '../table.ts'
import { say } from '../text.ts'

/** Exit 1 when some bytes are in no frame. */
export async function decode(
  session: Session,
  protocol: string,
  hex: string,
  options: { request?: string },
): Promise<number> {
  const { explain } = await import('../../protocols/explain.ts')
  const explained = explain(protocol, hex, options.request ?? null)
  if (typeof explained === 'string') throw new CliError(EXIT.usage, 'E_ARGS', explained)
  if (session.json) printJson(session.io, explained)
  else printLines(session.io, decodeLines(explained, session))
  return explained.junk === '' ? EXIT.done : EXIT.partly
}

export function decodeLines(explained: Explained, { connection, io }: Session): readonly string[] {
  const language = connection.language ?? 'en'
  const frames = explained.frames.flatMap((frame) => {
    const fields = Object.entries(frame.fields).map(([name, value]) => `${name} ${fieldText(value)}`)
    const head = [
      frame.protocol,
      say(language, frame.direction),
      say(language, 'decodeAddress', { address: frame.address }),
      frame.function,
    ].join('  ')
    return [
      paint(printable(head), 'bold', io.color),
      ...(fields.length === 0 ? [] : [`  ${printable(fields.join(', '))}`]),
      ...frame.readings.map(
        ({ key, value, unit }) => `  ${printable(`${key}  ${formatQuantity(value, unit, language)}`)}`,
      ),
      ...(frame.fault === null
        ? []
        : [`  ${paint(say(language, 'decodeFault', { fault: formatCause(frame.fault, language) }), 'red', io.color)}`]),
      ...(frame.note === null ? [] : [`  ${printable(frame.note)}`]),
    ]
  })
  if (explained.junk === '') return frames
  return [
    ...frames,
    paint(say(language, 'decodeJunk', { hex: explained.junk }), 'yellow', io.color),
    ...(explained.why === null ? [] : [`  → ${printable(explained.why)}`]),
  ]
}

function fieldText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
