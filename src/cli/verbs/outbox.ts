/** What waits for the cloud, per uplink and lane. */
import type { Status, UplinkOutbox } from '../../control/shapes.ts'
import { ask } from '../client.ts'
import { EXIT } from '../exit.ts'
import { formatCount, formatSpan } from '../format.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { table, wrap } from '../table.ts'
import { say } from '../text.ts'
import { heldLines, type Screen, waitingText } from './status.ts'

export type Outboxes = Readonly<Record<string, UplinkOutbox>>

export async function outbox(session: Session): Promise<number> {
  const { connection, io } = session
  const { body, language } = await ask<Outboxes>(connection, 'outbox')
  if (session.json) printJson(io, body)
  else {
    const { body: status } = await ask<Status>(connection, 'status')
    printLines(io, outboxScreen(body, status.uplinks, { language, width: io.width, color: io.color }))
  }
  return EXIT.done
}

const LANES = [
  ['a', 'laneA'],
  ['e', 'laneE'],
  ['t', 'laneT'],
] as const

export function outboxScreen(boxes: Outboxes, uplinks: Status['uplinks'], screen: Screen): readonly string[] {
  const { language } = screen
  const ids = Object.keys(boxes)
  if (ids.length === 0) return [say(language, 'noneUplinks')]
  const rows = Object.entries(boxes).flatMap(([id, lanes]) =>
    LANES.map(([lane, name]) => {
      const { hi, ack, kept, waiting, oldestWaitingMs, dropped } = lanes[lane]
      return [
        id,
        say(language, name),
        formatCount(hi),
        formatCount(ack),
        { text: formatCount(waiting), style: waiting > 0 ? ('yellow' as const) : ('green' as const) },
        oldestWaitingMs === null ? '-' : formatSpan(oldestWaitingMs, language),
        formatCount(kept),
        { text: formatCount(dropped), style: dropped > 0 ? ('yellow' as const) : ('dim' as const) },
      ]
    }),
  )
  return [
    ...table(
      [
        { title: say(language, 'colUplink'), min: 8 },
        { title: say(language, 'colLane') },
        { title: say(language, 'colCut'), align: 'right' },
        { title: say(language, 'colAcked'), align: 'right' },
        { title: say(language, 'colWaiting'), align: 'right' },
        { title: say(language, 'colOldest'), align: 'right' },
        { title: say(language, 'colKept'), align: 'right' },
        { title: say(language, 'colDropped'), align: 'right' },
      ],
      rows,
      screen,
    ),
    '',
    ...ids.flatMap((id) => {
      const uplink = uplinks[id]
      return uplink === undefined
        ? []
        : [
            `${id}: ${waitingText(uplink, language)}`,
            ...heldLines(id, uplink, language).flatMap((line) => wrap(line, screen.width)),
          ]
    }),
  ]
}
