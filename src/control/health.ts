/** How wires and the devices on them do, from what the buses count. */
import type { Bus, Device } from '../model/site.ts'
import type { GatewayView } from './context.ts'
import type { BusHealthRow, DeviceHealthRow, StrangerRow } from './shapes-health.ts'

/** A speaker that was not heard for so long, or for a few of its own intervals, has gone. */
const GONE_MS = 120_000
const GONE_INTERVALS = 3
/** Above this a wire has no time for anything else. */
const FULL = 0.97

export type Condition = {
  /** null: nobody asks it on a wire, or it has not been heard of yet. */
  readonly health: DeviceHealthRow | null
  /** Who answers in its place; null: nobody does. */
  readonly answersAs: string | null
  readonly misaddressed: number
}

const UNHEARD: Condition = { health: null, answersAs: null, misaddressed: 0 }

export function conditionOf(view: GatewayView, device: Device): Condition {
  if (device.link.kind !== 'bus') return UNHEARD
  const status = view
    .wire(device.link.bus)
    .devices()
    .find(({ index }) => index === device.index)
  if (status === undefined) return UNHEARD
  const { trend, state, why, answersAs, misaddressed } = status
  const health =
    trend === null ? null : { ...trend, is: state === 'degraded' ? ('degraded' as const) : ('good' as const), why }
  return { health: state === 'offline' ? null : health, answersAs, misaddressed }
}

export function busHealthOf(view: GatewayView, bus: Bus): BusHealthRow {
  const wire = view.wire(bus.index)
  const status = wire.status()
  const now = view.clock.mono()
  const strangers = status.strangers.map((each): StrangerRow => {
    const { lastAt, everyMs } = each
    const present = now - lastAt < Math.max(GONE_MS, GONE_INTERVALS * (everyMs ?? 0))
    return { ...each, lastAt: view.clock.utc(lastAt), present }
  })
  const shares = wire.devices().flatMap(({ state, trend }) => (state === 'offline' || trend === null ? [] : [trend]))
  const errorShare = shares.reduce((sum, trend) => sum + trend.errorShare, 0) / Math.max(1, shares.length)
  const { degraded, offline, responseMs, usualMs } = status.health
  const why: BusHealthRow['why'] = []
  if (strangers.some(({ direction, present }) => direction === 'request' && present)) why.push('master')
  if (status.utilisation > FULL) why.push('overload')
  if (degraded > 0) why.push('devices')
  const { lateFrames, foreignFrames, echoes, junkBytes, collisions, yields, lineChanges, lineChangeMs } = status
  return {
    is: why.length === 0 ? 'good' : 'degraded',
    why,
    errorShare: Math.round(errorShare * 1000) / 1000,
    responseMs,
    usualMs,
    degraded,
    offline,
    lateFrames,
    foreignFrames,
    echoes,
    junkBytes,
    texts: status.texts.map((each) => ({ ...each, lastAt: view.clock.utc(each.lastAt) })),
    collisions,
    yields,
    lineChanges,
    lineChangeMs,
    strangers,
  }
}
