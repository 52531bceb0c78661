/** What of each meter's frozen registers was told already; durable, a line of state for each device (`freeze.<device>`). */

export type FreezeTold = {
  /** UTC ms of the last midnight told; null: none yet. */
  readonly day: number | null
  /** Wall time of the last settlement told, to the hour (`2026-11-01T00`); null: none yet. */
  readonly settled: string | null
}

export type FreezeBook = {
  readonly of: (device: string) => FreezeTold
  /** Resolves once it is durable. */
  readonly note: (device: string, told: Partial<FreezeTold>) => Promise<void>
}

export function createFreezeBook(
  states: ReadonlyMap<string, string>,
  keep: (key: string, value: string) => Promise<void>,
): FreezeBook {
  const known = new Map<string, FreezeTold>()
  const of = (device: string): FreezeTold => {
    const told = known.get(device) ?? parse(states.get(keyOf(device)))
    known.set(device, told)
    return told
  }
  return {
    of,
    async note(device, told) {
      const next = { ...of(device), ...told }
      known.set(device, next)
      await keep(keyOf(device), JSON.stringify(next))
    },
  }
}

function keyOf(device: string): string {
  return `freeze.${device}`
}

function parse(text: string | undefined): FreezeTold {
  const kept: unknown = text === undefined ? null : JSON.parse(text)
  const day: unknown = kept !== null && typeof kept === 'object' ? Reflect.get(kept, 'day') : null
  const settled: unknown = kept !== null && typeof kept === 'object' ? Reflect.get(kept, 'settled') : null
  return { day: typeof day === 'number' ? day : null, settled: typeof settled === 'string' ? settled : null }
}
