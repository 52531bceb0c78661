/**
 * How devices misbehave, by seed: the same seed and the same requests give the same faults.
 * `late` answers after `delayMs`; `silent` not at all; `garbled` with a wrong byte; `split` in two pieces; `wrong_unit` as another
 * device; `exception` with a refusal; `frozen` with the values that it had when the fault began.
 */
import { fraction, seedOf } from './random.ts'

export const FAULT_KINDS = ['late', 'silent', 'garbled', 'split', 'wrong_unit', 'exception', 'frozen'] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

export type FaultSpec = {
  readonly kind: FaultKind
  /** Of the requests, 0 to 1. Default: all. `frozen` is a state and takes no share. */
  readonly share?: number
  /** late: how long it takes. split: the pause between the pieces. */
  readonly delayMs?: number
  /** exception: its code. Default 4, device failure. */
  readonly code?: number
}

/** What is done to one exchange. */
export type Misdeed = {
  readonly silent: boolean
  readonly delayMs: number
  readonly exception: number | null
  /** Which byte of the reply goes wrong, as a share of its length; null: none. */
  readonly garbleAt: number | null
  readonly splitPauseMs: number | null
  readonly wrongUnit: boolean
}

/** Longer than any sensible timeout, so that the reply meets the next request. */
const LATE_MS = 1500
/** Longer than the silence between two RTU frames. */
const SPLIT_MS = 30
const DEVICE_FAILURE = 4

export const NO_MISDEED: Misdeed = {
  silent: false,
  delayMs: 0,
  exception: null,
  garbleAt: null,
  splitPauseMs: null,
  wrongUnit: false,
}

export class Faults {
  readonly #seed: number
  readonly #specs = new Map<string, readonly FaultSpec[]>()
  readonly #exchanges = new Map<string, number>()

  constructor(seed: number) {
    this.#seed = seed
  }

  set(device: string, specs: readonly FaultSpec[]): void {
    if (specs.length === 0) this.#specs.delete(device)
    else this.#specs.set(device, specs)
  }

  frozen(device: string): boolean {
    return this.#specs.get(device)?.some((spec) => spec.kind === 'frozen') ?? false
  }

  /** For the next exchange of this device. */
  next(device: string): Misdeed {
    const specs = this.#specs.get(device)
    if (specs === undefined) return NO_MISDEED
    const n = this.#exchanges.get(device) ?? 0
    this.#exchanges.set(device, n + 1)
    const seed = seedOf(device, this.#seed)
    return specs.reduce((misdeed, spec, at) => {
      const happens = fraction(seed + at, n) < (spec.share ?? 1)
      return happens ? { ...misdeed, ...deed(spec, fraction(seed + at + 1, n)) } : misdeed
    }, NO_MISDEED)
  }
}

function deed(spec: FaultSpec, chance: number): Partial<Misdeed> {
  switch (spec.kind) {
    case 'late':
      return { delayMs: spec.delayMs ?? LATE_MS }
    case 'silent':
      return { silent: true }
    case 'garbled':
      return { garbleAt: chance }
    case 'split':
      return { splitPauseMs: spec.delayMs ?? SPLIT_MS }
    case 'wrong_unit':
      return { wrongUnit: true }
    case 'exception':
      return { exception: spec.code ?? DEVICE_FAILURE }
    case 'frozen':
      return {}
  }
}
