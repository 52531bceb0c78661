/**
 * What is sent to meters besides reads: the time, as a broadcast, and nothing else. Relay control cuts a household's power, other
 * writes want the meter's password; both are refused here, so that no path of the gateway leads to them.
 */
import type { Point, Value } from '../../model/point.ts'
import type { Question } from '../protocol.ts'
import { BROADCAST } from './address.ts'
import { writeInteger } from './bcd.ts'
import { FN, functionOf, isFromMeter } from './control.ts'

const RELAY =
  'relay control (1CH) is refused: it cuts the power behind the meter, lifts, pumps and medical devices with it; ' +
  'the utility or the meter’s own buttons do that'
const WRITES =
  'meters are only read: a write wants the meter’s password and its programming button, and Gatehouse sends neither'

/** Always a sentence. */
export function write(point: Point, _value: Value): string {
  return `${point.id} cannot be written: ${WRITES}`
}

/** Why this body (control code and data) is never sent to a meter; null: it only reads, or is the broadcast time. */
export function refusal(body: Uint8Array): string | null {
  const [control] = body
  if (control === undefined) return 'there is no control code'
  if (isFromMeter(control)) return 'this is an answer of a meter, not a question'
  const code = functionOf(control)
  if (code === FN.relay) return RELAY
  const reads = [FN.read, FN.readFollowing, FN.readAddress, FN.time, FN.read97, FN.readFollowing97] as readonly number[]
  return reads.includes(control) ? null : WRITES
}

/** Wall clock of the site's zone, which is what meters keep. */
export type WallTime = {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** To all meters at once: ss mm hh DD MM YY. They take it once a day, and only if they are off by at most 5 minutes; none answers. */
export function broadcastTime({ year, month, day, hour, minute, second }: WallTime): Question {
  const fields = [second, minute, hour, day, month, year % 100].flatMap((field) => [...writeInteger(field, 1)])
  return { address: BROADCAST, body: Uint8Array.of(FN.time, ...fields), writes: true, answerBytes: 0, unanswered: true }
}
