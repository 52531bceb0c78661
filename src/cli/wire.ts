/** A wire that nobody else has open, for whoever asks by hand before there is a site file or a daemon. */
import { openBus } from '../bus/bus.ts'
import { type Ask, askBus } from '../control/inquiry.ts'
import { parseLine } from '../driver/units.ts'
import type { Bus, Language, Line } from '../model/site.ts'
import { SILENT } from '../runtime/log.ts'
import { openPipe } from '../transport/open.ts'
import { CliError, EXIT } from './exit.ts'
import { shutError } from './shut.ts'
import { say } from './text.ts'

export type OwnWire = {
  /** Rejects when the wire cannot be opened or is lost, and for a question that makes no sense. */
  readonly ask: Ask
  readonly close: () => Promise<void>
}

export function openOwnWire(
  { wire, wireText }: Pick<Bus, 'wire' | 'wireText'>,
  line: string | null,
  { language, env }: { readonly language: Language; readonly env: NodeJS.ProcessEnv },
): OwnWire {
  const bus: Bus = { index: 0, id: 'wire', wireText, wire, line: lineFor(line, language), inFlight: 1 }
  const stop = new AbortController()
  const running = openBus({
    bus,
    devices: [],
    points: [],
    clock: { mono: () => performance.now() },
    post: () => undefined,
    log: SILENT,
    signal: stop.signal,
    openPipe,
  })
  return {
    async ask(inquiry) {
      const heard = await askBus(running, inquiry)
      if (typeof heard === 'string') throw new CliError(EXIT.usage, 'E_ARGS', heard)
      const { why } = running.status()
      if (heard.outcome === 'unsent' && why !== null) throw await shutError({ wire, wireText, why, language, env })
      return heard
    },
    close: async () => {
      stop.abort()
      await running.close()
    },
  }
}

function lineFor(text: string | null, language: Language): Line | null {
  if (text === null) return null
  const line = parseLine(text)
  if (line !== null) return line
  throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'badLine', { text }))
}
