/** A request to change something in the field, and what became of it. */
import type { Role, Value } from './point.ts'

export type WriteRequest = {
  readonly id: string
  readonly point: number
  readonly value: Value
  /** Who asked: `cli:root`, `rule:water_supply_lost`, `cloud:ops_1`. */
  readonly by: string
  readonly role: Role
}

export type WriteOutcome =
  | { readonly outcome: 'done'; readonly readBack: Value | null }
  /** `cause` says which rule or which fault of the device. */
  | { readonly outcome: 'refused'; readonly cause: string }
  | { readonly outcome: 'expired'; readonly cause: string }
  /** Sent, and no proof of what the device did. Never repeated by itself. */
  | { readonly outcome: 'unknown'; readonly cause: string }
