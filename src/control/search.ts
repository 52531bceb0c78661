/**
 * Finds who is there: Modbus units by any answer, refusals included; meters by the wildcards of their protocols, and where several
 * answer at once by narrowing the number digit by digit. Reads only. It may be stopped between any two questions and goes on from a
 * step. Who asks decides whether that is in idle time of a running bus or on a wire of its own.
 */
import { TOLD_NOTHING } from '../driver/identify.ts'
import type { Heard } from './inquiry.ts'
import { askStep, isNoisy } from './search-ask.ts'
import type { Search, SearchEvent } from './search-found.ts'
import { readIdentity } from './search-identity.ts'
import { searchMeters } from './search-meters.ts'
import { type Step, UNIT_TCP_TIMEOUT_MS, UNIT_TIMEOUT_MS } from './search-plan.ts'

/** Beyond the first units only those that answer holding registers are found: nearly all do. */
const INPUT_UNITS_MAX = 32
/** Units that a device with one address would not answer as. */
const ODD_UNITS = [246, 203]

export async function* search(options: Search): AsyncGenerator<SearchEvent> {
  const { steps, signal } = options
  /** Settings with a device: another setting need not be asked for the same address. */
  const seen = new Set(options.known)
  const garbled = new Set<string | null>()
  /** Settings under which nothing could be understood. */
  const noisy = new Set<string | null>()
  let answersAny = false
  for (let at = options.from; at < steps.length && !signal.aborted; at++) {
    const step = steps[at]
    if (step === undefined) break
    yield { kind: 'step', at, of: steps.length, step }
    if (noisy.has(step.line)) continue
    if (step.kind === 'meters') {
      for await (const event of searchMeters(options, step)) {
        if (event.kind === 'found') {
          const key = `${event.found.protocol} ${event.found.address}`
          if (seen.has(key)) continue
          seen.add(key)
        }
        if (event.kind === 'note' && event.note === 'noise') noisy.add(step.line)
        yield event
      }
      continue
    }
    const key = `modbus ${step.unit}`
    if (seen.has(key) || answersAny) continue
    const heard = await unit(options, step)
    // One of them says it all: on a wrong setting, or with noise, the others would say the same.
    if (heard?.outcome === 'garbled' && !garbled.has(step.line)) {
      garbled.add(step.line)
      if (await isNoisy(options, step.line)) noisy.add(step.line)
      const note = noisy.has(step.line) ? 'noise' : 'garbled'
      yield { kind: 'note', note, at: `${key} ${step.line ?? ''}` }
    }
    if (heard === null || !isLife(heard)) continue
    seen.add(key)
    const says = await readIdentity(options, step)
    yield {
      kind: 'found',
      found: { protocol: 'modbus', address: step.unit, line: step.line, says, told: TOLD_NOTHING, ms: heard.ms },
    }
    if (options.isTcp && !answersAny && (await asEvery(options, step))) {
      answersAny = true
      yield { kind: 'note', note: 'any', at: String(step.unit) }
    }
  }
}

/** Any answer of its own, also a no. What a gateway says in its place is none. */
function isLife({ outcome, unreached }: Heard): boolean {
  return outcome === 'answer' || (outcome === 'refused' && !unreached)
}

type UnitStep = Extract<Step, { kind: 'unit' }>

async function unit(options: Search, step: UnitStep): Promise<Heard | null> {
  let last: Heard | null = null
  for (const table of ['holding', 'input'] as const) {
    if (table === 'input' && (step.unit > INPUT_UNITS_MAX || options.isTcp)) break
    last = await askStep(options, step.line, {
      protocol: 'modbus',
      address: step.unit,
      what: { at: `${table} 0` },
      timeoutMs: options.isTcp ? UNIT_TCP_TIMEOUT_MS : UNIT_TIMEOUT_MS,
    })
    if (last === null || last.outcome !== 'silent') break
  }
  return last
}

/** Some devices behind one endpoint answer whatever unit is asked for. */
async function asEvery(options: Search, { line, unit: found }: UnitStep): Promise<boolean> {
  for (const other of ODD_UNITS.filter((each) => each !== found)) {
    const heard = await askStep(options, line, {
      protocol: 'modbus',
      address: other,
      what: { at: 'holding 0' },
      timeoutMs: UNIT_TCP_TIMEOUT_MS,
    })
    if (heard === null || !isLife(heard)) return false
  }
  return true
}
