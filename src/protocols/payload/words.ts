/** Devices that give each quantity a topic of its own with a bare word or number in it: Shelly Gen1, ESPHome. */
import type { Point } from '../../model/point.ts'
import { parseDocument } from './document.ts'
import { pathOf, readFields } from './fields.ts'
import type { Message, PayloadOutcome } from './payload.ts'

/** Paths of the device's points, each once; a path is the part of the topic that names the quantity. */
export function pathsOf(points: readonly Point[]): readonly string[] {
  return [...new Set(points.flatMap((point) => pathOf(point) ?? []))]
}

/** The payload as the value of the point with this path. `convert` may change a number that the device gives in a unit of its own. */
export function readWord(
  path: string,
  message: Message,
  points: readonly Point[],
  convert: (word: unknown) => unknown = (word) => word,
): PayloadOutcome {
  const document = parseDocument(message.payload)
  if (document.kind === 'refused') return document
  const word = document.kind === 'text' ? document.text.trim() : document.json
  return readFields({ [path]: convert(word) }, points, message.retained)
}
