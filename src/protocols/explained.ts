/** What is said of bytes. Contract: cli.md, shape `decode`; `why` and `note` are words for people. */
import type { Value } from '../model/point.ts'

export type ExplainedFrame = {
  /** With its framing: `modbus-rtu`. */
  readonly protocol: string
  readonly direction: 'request' | 'reply'
  readonly address: string
  /** `3 read holding registers` */
  readonly function: string
  readonly fields: Readonly<Record<string, unknown>>
  /** Keyed as the driver would write `at` when the request is known (`holding 107`), else by position (`register 0`). */
  readonly readings: readonly { readonly key: string; readonly value: Value; readonly unit: string | null }[]
  /** `exception:2`; null: none. */
  readonly fault: string | null
  readonly note: string | null
}

export type Explained = {
  readonly frames: readonly ExplainedFrame[]
  /** Hex of all bytes that are in no frame. */
  readonly junk: string
  /** Why the first of them are no frame; null: there are none. */
  readonly why: string | null
}
