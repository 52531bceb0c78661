/** What the command line starts but may not know: rooms below it. `main.ts` gives them. */
import type { Language, Site } from '../model/site.ts'

export type RunOptions = {
  readonly config: string
  readonly data: string
  readonly language: Language | null
  /** How a site file that is not run is complained of. */
  readonly json: boolean
}

export type DemoOptions = {
  readonly forMs: number
  /** null: a directory of its own, removed at the end. */
  readonly data: string | null
  readonly language: Language | null
  readonly json: boolean
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  readonly out: (text: string) => void
  readonly terminal: boolean
}

/** What one device is to do wrong, in words of the simulator, which refuses what it does not know. */
export type FaultAsked = { readonly device: string; readonly kind: string; readonly share: number }

export type SimulationOptions = {
  readonly site: Site
  readonly portBase: number | null
  readonly seed: number
  readonly faults: readonly FaultAsked[]
  /** Where devices that publish go; `site`: to the broker of the site file. null: they are silent. */
  readonly broker: string | null
}

/** Devices on real sockets and ptys. */
export type Simulation = {
  /** Where each bus of the site is reached, and which devices are on it. */
  readonly buses: readonly { readonly id: string; readonly wire: string; readonly devices: readonly string[] }[]
  readonly publishing: { readonly devices: readonly string[]; readonly server: string | null }
  readonly close: () => Promise<void>
}

export type Hosts = {
  /** Both resolve to the exit code. */
  readonly run: (options: RunOptions) => Promise<number>
  readonly demo: (options: DemoOptions) => Promise<number>
  readonly openSimulation: (options: SimulationOptions) => Promise<Simulation>
}
