/** A simulation as the command line asks for one: the words of its options are checked here, where it is known what there is. */
import type { FaultAsked, Simulation, SimulationOptions } from '../cli/hosts.ts'
import { nearest } from '../derive/nearest.ts'
import { createClock } from '../runtime/clock.ts'
import { Halt } from '../runtime/halt.ts'
import { hostClock } from '../runtime/kernel.ts'
import { SILENT } from '../runtime/log.ts'
import { FAULT_KINDS, type FaultKind, type FaultSpec } from './faults.ts'
import { openSimulator } from './simulator.ts'

export async function openSimulation({ portBase, broker, ...options }: SimulationOptions): Promise<Simulation> {
  const faults = faultsOf(options.faults)
  const clock = createClock('system', { floorMs: 0, sources: hostClock() })
  return openSimulator({
    ...options,
    clock,
    log: SILENT,
    faults,
    ...(broker === null ? {} : { broker }),
    ...(portBase === null ? {} : { portBase }),
  })
}

/** Several of one device come in the order in which they were given. */
function faultsOf(asked: readonly FaultAsked[]): Readonly<Record<string, readonly FaultSpec[]>> {
  const byDevice = Map.groupBy(asked, ({ device }) => device)
  return Object.fromEntries(
    [...byDevice].map(([device, own]) => [device, own.map(({ kind, share }) => ({ kind: kindOf(kind), share }))]),
  )
}

function kindOf(written: string): FaultKind {
  const kind = FAULT_KINDS.find((each) => each === written)
  if (kind !== undefined) return kind
  const near = nearest(written, FAULT_KINDS)
  const list = FAULT_KINDS.join(', ')
  throw new Halt({
    kind: 'usage',
    text: { en: `there is no fault "${written}"`, zh: `没有名为"${written}"的故障` },
    hint:
      near === null
        ? { en: `there are: ${list}`, zh: `可用：${list}` }
        : { en: `did you mean ${near}? There are: ${list}`, zh: `是否想写 ${near}？可用：${list}` },
  })
}
