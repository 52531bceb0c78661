/** What a search is given and what it tells. */
import type { Told } from '../driver/identify.ts'
import type { ProtocolName } from '../model/site.ts'
import type { Asking } from './search-ask.ts'
import type { Step } from './search-plan.ts'

export type Found = {
  readonly protocol: ProtocolName
  /** As a site file wants it. */
  readonly address: number | string
  /** Setting under which it answered; null: the wire has its own. */
  readonly line: string | null
  /** What it says of itself: maker, model, medium. */
  readonly says: readonly string[]
  /** The same for programs: what a driver can be told by. */
  readonly told: Told
  readonly ms: number | null
}

export type SearchEvent =
  | { readonly kind: 'step'; readonly at: number; readonly of: number; readonly step: Step }
  /** How far a long step has come: last digits of the numbers that are being looked for. */
  | { readonly kind: 'within'; readonly at: number; readonly of: number; readonly tail: string }
  | { readonly kind: 'found'; readonly found: Found }
  | { readonly kind: 'note'; readonly note: Note; readonly at: string }

/**
 * `garbled`: bytes came that are no frame. `noise`: they come without being asked for, so nothing is sought there. `several`: more than one answers, and this protocol has no way to tell them apart.
 * `narrowing`: more than one answers, and their numbers are sought digit by digit. `any`: the endpoint answers as every unit: one device.
 * `unnamed`: a meter answers that does not tell its number.
 */
export type Note = 'garbled' | 'noise' | 'several' | 'narrowing' | 'any' | 'unnamed'

export type Search = Asking & {
  readonly steps: readonly Step[]
  /** Steps that were done in an earlier run. */
  readonly from: number
  /** Already in the site file: not asked, since they are. `modbus 5` */
  readonly known: ReadonlySet<string>
}
