/**
 * The writer thread: owns every file of the store but the lock. One message after the other; what takes long (reading for an uplink,
 * history) goes in slices, so that a commit that arrives meanwhile waits for one slice at most.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { Batch, ClockReading } from '../model/journal.ts'
import { haltOf } from './damage.ts'
import { History } from './history.ts'
import { messageOf } from './entries.ts'
import { Journal } from './journal.ts'
import type { Adopted, FromWriter, NextQuery, Request, Setup, ToWriter, WriterStatus } from './messages.ts'
import { recover } from './recovery.ts'
import { Retention } from './retention.ts'
import { Segments } from './segments.ts'
import { State } from './state.ts'
import { tally } from './tally.ts'
import { Wear } from './wear.ts'

const SWEEP_EVERY_MS = 60_000
/** The next connection's number is made durable in steps: after a crash some are left out, none is used twice. */
const CONNECTIONS_KEY = 'connections'

const port = parentPort
if (port === null) throw new Error('writer.ts runs as a worker thread only')

function say(message: FromWriter): void {
  port?.postMessage(message)
}

/** Lets messages that came meanwhile go first. */
function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function open(setup: Setup) {
  const log = (level: 'info' | 'warn' | 'error', message: string): void => say({ kind: 'log', level, message })
  const state = new State(setup.dir)
  const segments = new Segments(setup.dir)
  const { catalogueSha, time, floorMs } = setup
  const start = recover(state, segments, { catalogueSha, time, floorMs, say: (message) => log('warn', message) })
  const history = new History({ dir: setup.dir, setup, segments, boot: start.identity.boot, log })
  const journal = new Journal({
    state,
    segments,
    setup,
    start,
    announce: {
      cut: (notes, gaps) => say({ kind: 'cut', notes, gaps }),
      log,
      chunks: (segment, heads, now) => history.add(segment, heads, now),
    },
  })
  const retention = new Retention({
    state,
    segments,
    history,
    journal,
    setup,
    log,
    gone: (lane, number) => say({ kind: 'gone', lane, number }),
  })
  const wear = new Wear(setup.dir, setup.settings, time.mono)
  return { setup, state, segments, start, history, journal, retention, wear, time, sweptMono: time.mono }
}

type House = ReturnType<typeof open>

function statusOf({ journal, state, segments, history, wear }: House): WriterStatus {
  return {
    samplesCommitted: journal.samplesCommitted,
    bytes: state.bytes() + segments.bytes() + history.bytes(),
    commitEveryMs: wear.commitEveryMs,
    wearBytesPerDay: wear.bytesPerDay,
    wearSource: wear.source,
    suspect: journal.suspect,
    dropped: { ...journal.dropped },
    uncut: journal.uncut,
  }
}

async function next({ journal, time }: House, query: NextQuery): Promise<readonly Batch[]> {
  const batches: Batch[] = []
  let bytes = 0
  let { after } = query
  while (batches.length < query.max && (batches.length === 0 || bytes < query.bytesMax)) {
    const skipped = query.acked.find(([from, to]) => from <= after + 1 && after + 1 <= to)
    if (skipped !== undefined) {
      after = skipped[1]
      continue
    }
    const batch = journal.batchAfter(query.lane, after, time)
    if (batch === null) break
    after = batch.number
    if (query.acked.some(([from, to]) => from <= after && after <= to)) continue
    if (batches.length > 0 && bytes + batch.content.length > query.bytesMax) break
    batches.push(batch)
    bytes += batch.content.length
    await breath()
  }
  return batches
}

async function serve(house: House, request: Request): Promise<unknown> {
  if ('time' in request) house.time = request.time
  switch (request.op) {
    case 'commit': {
      const { commit } = request
      house.time = commit.time
      const result = house.journal.commit(commit)
      for (const run of commit.observed) house.history.observe(run)
      house.wear.step(commit.time.mono)
      say({ kind: 'status', status: statusOf(house) })
      return result
    }
    case 'cut':
      await cutAll(house, request.time, true)
      say({ kind: 'status', status: statusOf(house) })
      return null
    case 'next':
      return next(house, request.query)
    case 'cursors':
      house.retention.save(request.cursors)
      house.retention.sweep(request.time)
      return null
    case 'drop':
      house.retention.deadLetter(request, request.time)
      return null
    case 'connection': {
      const connection = Number(house.state.meta(CONNECTIONS_KEY) ?? 0) + 1
      house.state.commit(() => house.state.putMeta(CONNECTIONS_KEY, String(connection)))
      return connection
    }
    case 'adopt':
      return adopt(house, request)
    case 'history':
      return house.history.query(request.query, breath)
    case 'tally':
      return tally(house, request, breath)
    case 'close':
      return close(house, request.time, request)
  }
}

/** Before the next message is looked at. Where the version cannot be made durable the old one stays, and the answer is an error. */
function adopt({ state, journal, history }: House, { catalogue, sha }: Request & { op: 'adopt' }): Adopted {
  const changed = state.meta('catalogue') !== sha
  const before = Number(state.meta('cv') ?? 0)
  history.adopt(catalogue.points)
  journal.adopt(catalogue, before)
  if (!changed) return { cv: before, changed }
  const cv = before + 1
  state.commit(() => {
    state.putMeta('cv', String(cv))
    state.putMeta('catalogue', sha)
  })
  journal.adopt(catalogue, cv)
  return { cv, changed }
}

async function cutAll({ journal }: House, time: ClockReading, force: boolean): Promise<void> {
  while (journal.cutSome(time, force)) await breath()
}

/** What has time until the answer is out. */
async function idle(house: House): Promise<void> {
  if (house.journal.uncut > 0) await cutAll(house, house.time, false)
  if (house.time.mono - house.sweptMono >= SWEEP_EVERY_MS) {
    house.sweptMono = house.time.mono
    house.retention.sweep(house.time)
    if (!house.state.refillReserve())
      say({ kind: 'log', level: 'warn', message: 'state.db: no room to refill its reserve' })
  }
  await house.history.work(house.time, breath)
}

/** Each step by itself: what the disk refuses is left for the next start, the numbers are noted all the same. */
async function close(house: House, time: ClockReading, request: Request & { op: 'close' }): Promise<null> {
  await cutAll(house, time, true).catch(report)
  await house.history.flush(time, breath).catch(report)
  house.retention.save(request.cursors)
  house.journal.end(time)
  house.segments.close()
  house.history.close()
  house.state.close()
  return null
}

let house: House | null = null
try {
  house = open(workerData as Setup)
  say({
    kind: 'opened',
    opened: {
      identity: house.start.identity,
      states: house.state.states(),
      hi: house.journal.hi,
      gone: house.retention.gone,
      notes: house.start.notes,
      gaps: house.start.gaps,
      floorMs: house.start.floorMs,
      cursors: house.start.cursors,
      status: statusOf(house),
    },
  })
} catch (error) {
  say({ kind: 'failed', message: messageOf(error), halt: haltOf(error, (workerData as Setup).dir) })
  port.close()
}

/** What was said last of work between commits: a full disk is one line, not one a second. */
let reported: string | null = null

function report(error: unknown): void {
  const message = messageOf(error)
  if (message !== reported) say({ kind: 'log', level: 'error', message: `between commits: ${message}` })
  reported = message
}

function settleDown(): void {
  reported = null
}

port.on('message', ({ id, request }: ToWriter) => {
  if (house === null) return
  serve(house, request).then(
    (value) => {
      say({ kind: 'answer', id, value })
      if (request.op === 'close') port.close()
      else if (request.op === 'commit' && house !== null) idle(house).then(settleDown, report)
    },
    (error: unknown) => say({ kind: 'error', id, message: messageOf(error) }),
  )
})
