/** Everything that may be asked of the gateway, in one list: command line, cloud and page offer the same. */
import * as z from 'zod'
import { ack, alarms } from './attention.ts'
import { explain } from './explain.ts'
import { buses, devices, write } from './field.ts'
import { points, read, watch } from './live.ts'
import { answering, type Operation } from './operation.ts'
import { history, outbox } from './records.ts'
import { pingAnswer, status as statusShape } from './shapes.ts'
import { inquire } from './inquire.ts'
import { probe } from './probe.ts'
import { proveKeep, proveList, proveLook } from './prove.ts'
import { reload } from './reload.ts'
import { roster } from './roster.ts'
import { buildStatus } from './status.ts'
import { trace } from './trace.ts'

const ping = answering({
  name: 'ping',
  role: 'viewer',
  input: z.strictObject({}),
  output: pingAnswer,
  run: ({ view }) => ({ version: view.version, at: view.clock.utc() }),
})

const status = answering({
  name: 'status',
  role: 'viewer',
  input: z.strictObject({}),
  output: statusShape,
  run: ({ view }) => buildStatus(view),
})

export const OPERATIONS: readonly Operation[] = [
  ping,
  status,
  buses,
  devices,
  points,
  watch,
  read,
  write,
  alarms,
  ack,
  history,
  outbox,
  explain,
  trace,
  reload,
  roster,
  inquire,
  probe,
  proveLook,
  proveKeep,
  proveList,
]
