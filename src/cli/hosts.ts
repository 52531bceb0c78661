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

/** Devices on real sockets and ptys; `buses` says where each bus of the site is reached. */
export type Simulation = {
  readonly buses: readonly { readonly id: string; readonly wire: string }[]
  readonly close: () => Promise<void>
}

export type Hosts = {
  /** Both resolve to the exit code. */
  readonly run: (options: RunOptions) => Promise<number>
  readonly demo: (options: DemoOptions) => Promise<number>
  readonly openSimulation: (options: { site: Site; portBase: number | null }) => Promise<Simulation>
}
