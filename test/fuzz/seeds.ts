/** Real inputs: whatever is a frame, a line or a document in `test/vectors`. */
import { readdirSync, readFileSync } from 'node:fs'

const VECTORS = new URL('../vectors/', import.meta.url)

/** Every JSON file there, by name. */
const FILES: ReadonlyMap<string, unknown> = new Map(
  readdirSync(VECTORS)
    .filter((name) => name.endsWith('.json'))
    .map((name) => [name.slice(0, -5), JSON.parse(readFileSync(new URL(name, VECTORS), 'utf8')) as unknown]),
)

/** Two bytes are no frame of any protocol. */
const BYTES_MIN = 3
const HEX = /^([0-9a-fA-F]{2}\s?)+$/

/** Frames of a protocol: all that is hex, or a line of Modbus ASCII, in its file. Without a name: those of all files. */
export function framesOf(name?: string): readonly Uint8Array[] {
  const frames = [...texts(name === undefined ? [...FILES.values()] : FILES.get(name))].flatMap((text) => {
    if (text.startsWith(':')) return [Buffer.from(text, 'latin1')]
    const bytes = HEX.test(text) ? Buffer.from(text.replaceAll(/\s/g, ''), 'hex') : Buffer.alloc(0)
    return bytes.length < BYTES_MIN ? [] : [bytes]
  })
  // Plain arrays of bytes: a Buffer's own methods are none that a codec may rely on.
  return frames.map((frame) => Uint8Array.from(frame))
}

export type Published = { readonly topic: string; readonly payload: string }

/** Every published message of any file, and the names of what it says. */
export function messages(): readonly Published[] {
  return [...FILES.values()].flatMap((file) =>
    vectorsIn(file).flatMap(({ topic, payload, payload_text }): Published[] => {
      if (typeof topic !== 'string') return []
      return [{ topic, payload: typeof payload_text === 'string' ? payload_text : JSON.stringify(payload ?? null) }]
    }),
  )
}

/** Paths of points that the vectors of published messages name. */
export function paths(): readonly string[] {
  const all = [...FILES.values()].flatMap((file) =>
    vectorsIn(file).flatMap(({ decoded, topic }) =>
      typeof topic === 'string' && isRecord(decoded) && isRecord(decoded['points'])
        ? Object.keys(decoded['points'])
        : [],
    ),
  )
  return [...new Set(all)]
}

function vectorsIn(file: unknown): readonly Readonly<Record<string, unknown>>[] {
  return isRecord(file) && Array.isArray(file['vectors']) ? file['vectors'].filter(isRecord) : []
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function* texts(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  else if (Array.isArray(value)) for (const element of value) yield* texts(element)
  else if (isRecord(value)) for (const member of Object.values(value)) yield* texts(member)
}
