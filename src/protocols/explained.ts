/**
 * What is said of bytes, of a message, a line or a card. Contract: cli.md, shape `decode`; `why` and `note` are words for people,
 * made in both languages and shown in one.
 */
import type { Text, Value } from '../model/point.ts'
import type { Language } from '../model/site.ts'

export type ExplainedFrame<Words = string> = {
  /** With its framing: `modbus-rtu`. */
  readonly protocol: string
  /** `message`: nobody asked for it. */
  readonly direction: 'request' | 'reply' | 'message'
  readonly address: string
  /** `3 read holding registers` */
  readonly function: string
  readonly fields: Readonly<Record<string, unknown>>
  /** Keyed as the driver would write `at` when the request is known (`holding 107`), else by position (`register 0`). */
  readonly readings: readonly { readonly key: string; readonly value: Value; readonly unit: string | null }[]
  /** `exception:2`; null: none. */
  readonly fault: string | null
  readonly note: Words | null
}

export type Explained<Words = string> = {
  readonly frames: readonly ExplainedFrame<Words>[]
  /** Hex of all bytes that are in no frame. */
  readonly junk: string
  /** Why the first of them are no frame; null: there are none. */
  readonly why: Words | null
}

/** As explainers say it. */
export type Said = Explained<Text>
export type SaidFrame = ExplainedFrame<Text>

export function both(en: string, zh: string): Text {
  return { en, zh }
}

/** Two sentences, one inside the other: `wrapIn('the request is none: ', '请求无效：', why)`. */
export function wrapIn(en: string, zh: string, inner: Text): Text {
  return { en: en + inner.en, zh: zh + inner.zh }
}

export function inLanguage({ frames, junk, why }: Said, language: Language): Explained {
  return {
    frames: frames.map((frame) => ({
      ...frame,
      fields: meant(frame.fields, language),
      note: frame.note?.[language] ?? null,
    })),
    junk,
    why: why?.[language] ?? null,
  }
}

/** Of the fields only `meaning` is words for people. */
function meant(fields: ExplainedFrame['fields'], language: Language): ExplainedFrame['fields'] {
  const { meaning } = fields
  if (typeof meaning !== 'object' || meaning === null || !(language in meaning)) return fields
  return { ...fields, meaning: (meaning as Text)[language] }
}
