/**
 * Reads that devices rejected, kept over a restart: they are not tried whole again. What another version of the driver learned is
 * of no use, since it plans other reads.
 */
import type { Device } from '../model/site.ts'

/** A device with more holes than this learns the rest anew. */
const KEYS_MAX = 500

export type Refusals = {
  readonly of: (device: Device) => readonly string[]
  readonly remember: (device: Device, blockKey: string) => void
}

/** `states`: what is kept, as it was at start. `keep` makes a state durable. */
export function createRefusals(
  states: ReadonlyMap<string, string>,
  keep: (states: readonly (readonly [string, string | null])[]) => void,
): Refusals {
  const known = new Map<string, string[]>()

  function of(device: Device): string[] {
    const keys = known.get(device.id) ?? read(states.get(stateKey(device)), device.driverSha)
    known.set(device.id, keys)
    return keys
  }

  return {
    of,
    remember(device, blockKey) {
      const keys = of(device)
      if (keys.includes(blockKey) || keys.length >= KEYS_MAX) return
      keys.push(blockKey)
      keep([[stateKey(device), JSON.stringify({ driver: device.driverSha, keys })]])
    },
  }
}

function stateKey(device: Device): string {
  return `bus.refused.${device.id}`
}

function read(text: string | undefined, driverSha: string): string[] {
  if (text === undefined) return []
  const kept: unknown = JSON.parse(text)
  if (kept === null || typeof kept !== 'object' || !('driver' in kept) || !('keys' in kept)) return []
  if (kept.driver !== driverSha || !Array.isArray(kept.keys)) return []
  return kept.keys.filter((key) => typeof key === 'string')
}
