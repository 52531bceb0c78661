/** A request to change something in the field, and what became of it. */
import type { Role, Text, Value } from './point.ts'

export type WriteRequest = {
  readonly id: string
  readonly point: number
  readonly value: Value
  /** Who asked: `cli:root`, `rule:water_supply_lost`, `cloud:ops_1`. */
  readonly by: string
  readonly role: Role
}

/** `cause` says which rule or which fault of the device, for programs; `reason` the same for people, where the word alone does not. */
export type Why = { readonly cause: string; readonly reason?: Text | undefined }

export type WriteOutcome =
  | { readonly outcome: 'done'; readonly readBack: Value | null }
  | ({ readonly outcome: 'refused' } & Why)
  | ({ readonly outcome: 'expired' } & Why)
  /** Sent, and no proof of what the device did. Never repeated by itself. */
  | ({ readonly outcome: 'unknown' } & Why)
