/** The broadcast of the time: only meters hear it, and only at a time that there is. */
import type { Bus } from '../model/site.ts'
import { isCron } from '../runtime/calendar.ts'
import type { Context } from './context.ts'
import type { Resolved } from './devices.ts'

export function checkSetTime(
  resolved: readonly Resolved[],
  buses: readonly Bus[],
  { document, findings, unusable, file }: Context,
): void {
  for (const { index, id, setTime } of buses) {
    if (setTime === undefined) continue
    const at = document.at(['buses', id, 'setTime'])
    if (!isCron(setTime)) findings.error(at, 'badCron', { written: setTime })
    // A device of this bus that has an error of its own may be the meter.
    const isOpen = [...unusable].some((device) => file.devices?.[device]?.bus === id)
    const hasMeter = resolved.some(
      ({ device: { link } }) => link.kind === 'bus' && link.bus === index && link.protocol === 'dlt645',
    )
    if (!hasMeter && !isOpen) findings.error(at, 'setTimeUnheard', { bus: id })
  }
}
