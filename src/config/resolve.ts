/** Documents become the site: resolved, numbered, frozen. */
import type { Site } from '../model/site.ts'
import { bothLanguages } from '../driver/shapes.ts'
import type { Context } from './context.ts'
import { resolveDevices } from './devices.ts'
import { resolveBroker, resolveUplinks } from './mqtt.ts'
import { resolveRules } from './rules.ts'
import { resolveStore } from './store.ts'
import { resolveBuses } from './wires.ts'

/** One zone holds for the country that most sites stand in; the cloud and calendar jobs need one. */
const TIMEZONE = 'Asia/Shanghai'

/** Everything is looked at, whatever was found before. The result is for use only when there is no error among the findings. */
export function resolveSite(context: Context): Site {
  const { file, document, findings } = context
  const timezone = file.site.timezone ?? TIMEZONE
  if (!isTimezone(timezone)) findings.error(document.at(['site', 'timezone']), 'timezone', { zone: timezone })
  const buses = resolveBuses(context)
  const devices = resolveDevices(buses, context)
  const rules = resolveRules(devices, context)
  return freeze({
    id: file.site.id,
    name: bothLanguages(file.site.name ?? file.site.id),
    timezone,
    location: file.site.location ?? null,
    language: file.language ?? null,
    gateway: { id: file.gateway?.id ?? file.site.id, clock: file.gateway?.clock ?? 'auto' },
    store: resolveStore(context),
    broker: resolveBroker(context),
    uplinks: resolveUplinks(context),
    buses,
    devices: devices.resolved.map(({ device }) => device),
    points: devices.points,
    rules,
  })
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** Deep, once: whatever is shared by many points is passed over the second time. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) freeze(member)
  return value
}
