/** Answers as the devices of the site file until Ctrl-C, and says where each bus is reached. */
import { EXIT } from '../exit.ts'
import type { Hosts } from '../hosts.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { table } from '../table.ts'
import { say } from '../text.ts'
import { loadSite } from './check.ts'

export async function simulate(
  session: Session,
  open: Hosts['openSimulation'],
  portBase: number | null,
): Promise<number> {
  const { site, language } = await loadSite(session)
  if (site === null) return EXIT.config
  const simulation = await open({ site, portBase })
  const { io } = session
  if (session.json) printJson(io, { buses: simulation.buses.map(({ id, wire }) => ({ bus: id, wire })) })
  else {
    const columns = [{ title: say(language, 'colBus') }, { title: say(language, 'colWire') }]
    const rows = simulation.buses.map(({ id, wire }) => [id, wire])
    printLines(io, [...table(columns, rows, io), say(language, 'simulateUntil')])
  }
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve()
    io.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await simulation.close()
  return EXIT.done
}
