/** What happens in the demo, and when: parts of its whole time, so that any length shows everything. */

export type Act =
  | 'pump_trips'
  | 'line_cut'
  | 'button_pressed'
  | 'line_back'
  | 'pump_repaired'
  | 'button_released'
  | 'field_stops'

/** The line stays cut for a quarter of the time; the last tenth is for the last batches to be delivered. */
const STORY: readonly (readonly [share: number, act: Act])[] = [
  [0.18, 'pump_trips'],
  [0.32, 'line_cut'],
  [0.42, 'button_pressed'],
  [0.57, 'line_back'],
  [0.72, 'pump_repaired'],
  [0.8, 'button_released'],
  [0.9, 'field_stops'],
]

/** The acts due after `fromMs` and up to `toMs` of a demo that lasts `lengthMs`. */
export function actsBetween(fromMs: number, toMs: number, lengthMs: number): readonly Act[] {
  return STORY.filter(([share]) => share * lengthMs > fromMs && share * lengthMs <= toMs).map(([, act]) => act)
}
