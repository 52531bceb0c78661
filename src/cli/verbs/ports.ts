/** Serial ports of this host. Needs no daemon; opens none of them. */
import { basename } from 'node:path'
import type { Language } from '../../model/site.ts'
import { listPorts, type Port } from '../../transport/ports.ts'
import { EXIT } from '../exit.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { type Cell, paint, table, wrap } from '../table.ts'
import { say } from '../text.ts'
import type { Screen } from './status.ts'

export async function ports(session: Session): Promise<number> {
  const { io, connection } = session
  const found = await listPorts()
  if (session.json) printJson(io, found)
  else printLines(io, portTable(found, { language: connection.language ?? 'en', width: io.width, color: io.color }))
  return EXIT.done
}

export function portTable(found: readonly Port[], screen: Screen): readonly string[] {
  const { language } = screen
  if (found.length === 0)
    return [say(language, 'nonePorts'), ...wrap(`  → ${say(language, 'nonePortsHint')}`, screen.width)]
  return [
    ...table(
      [
        // The name is there to be copied: it is never cut.
        { title: say(language, 'colPath') },
        { title: say(language, 'colHolder'), min: 6 },
        { title: say(language, 'colPort') },
        { title: say(language, 'colChip'), min: 8 },
      ],
      found.map((port) => [
        { text: port.path, style: 'bold' },
        holderCell(port, language),
        basename(port.device),
        port.chip,
      ]),
      screen,
    ),
    ...found.flatMap((port) => {
      if (port.stableBy === 'socket') return []
      const [key, style] =
        port.stableBy === 'adapter' ? (['portsByAdapter', 'dim'] as const) : (['portsUnstable', 'yellow'] as const)
      const note = say(language, key, { port: basename(port.device) })
      return ['', ...wrap(note, screen.width).map((line) => paint(line, style, screen.color))]
    }),
  ]
}

function holderCell({ holders, holdersKnown }: Port, language: Language): Cell {
  if (holders.length > 0)
    return { text: holders.map(({ pid, command }) => `${command} (${pid})`).join(', '), style: 'yellow' }
  return holdersKnown ? { text: say(language, 'portFree'), style: 'green' } : say(language, 'portUnknown')
}
