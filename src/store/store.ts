/**
 * The store's front, on the main thread: collects deltas, hands them to the writer thread at its pace, tells who waits when they are
 * durable. No call here touches the disk or waits for it, except the opening and what returns a promise.
 */
import type { ClockReading } from '../model/journal.ts'
import type { Point } from '../model/point.ts'
import type { Device, StoreSettings } from '../model/site.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { repeat } from '../runtime/timer.ts'
import type { Store, StoreDelta, StoreStatus } from './contract.ts'
import { takeLock } from './lock.ts'
import type { Catalogue, CommitResult, WriterStatus } from './messages.ts'
import { Outboxes } from './outbox.ts'
import { Pace } from './pace.ts'
import { Pending } from './pending.ts'
import { type Heard, WriterThread } from './thread.ts'

export type StoreOptions = {
  /** Created if it is not there. */
  readonly dir: string
  readonly settings: StoreSettings
  readonly points: readonly Point[]
  readonly devices: readonly Pick<Device, 'id'>[]
  readonly catalogueSha: string
  readonly clock: Clock
  readonly log: Log
  /** Ids of the uplinks whose acknowledgements decide what may leave the disk. */
  readonly uplinks: readonly string[]
  /** IANA name: days of history begin at its midnight. */
  readonly timezone: string
}

const CURSORS_EVERY_MS = 60_000
/** A writer that leaves a question unanswered so long is stuck. */
const PATIENCE_MS = 30_000

/** Opens the store, or throws: a Halt when another daemon has the directory, when it may not be written, is damaged, or after a downgrade. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const lock = takeLock(options.dir)
  try {
    return await openFront(options, () => lock.close())
  } catch (error) {
    lock.close()
    throw error
  }
}

async function openFront(options: StoreOptions, unlock: () => void): Promise<Store> {
  const { clock, log, settings } = options
  const pending = new Pending()
  const listeners = new Set<() => void>()
  const cutInThisBoot = { t: 0, a: 0, e: 0 }
  let writer: WriterStatus | null = null
  let outboxes: Outboxes | null = null
  /** Why the last commit of its kind was refused, null: it was not. */
  const refused: { state: string | null; samples: string | null } = { state: null, samples: null }
  /** Oldest delta under way, and since when the writer owes an answer. */
  let underWaySince: number | null = null
  let askedMono: number | null = null

  function hear(message: Heard): void {
    switch (message.kind) {
      case 'cut':
        outboxes?.cut(message.notes, message.gaps)
        for (const note of message.notes) cutInThisBoot[note.lane]++
        for (const listener of listeners) listener()
        return
      case 'gone':
        outboxes?.gone(message.lane, message.number)
        return
      case 'status':
        writer = message.status
        pace.everyMs = message.status.commitEveryMs
        return
      case 'log':
        log[message.level]({ room: 'store' }, message.message)
    }
  }

  const { thread, opened } = await WriterThread.start(
    {
      dir: options.dir,
      settings,
      ...catalogueOf(options),
      catalogueSha: options.catalogueSha,
      uplinks: options.uplinks,
      timezone: options.timezone,
      time: clock.now(),
      floorMs: clock.floorMs(),
    },
    hear,
    (error) => {
      log.error({ room: 'store', err: error }, 'the writer is gone: nothing is kept any more')
    },
  )
  // Rows that were written under a trusted clock: time has not run back since.
  clock.raiseFloor(opened.floorMs)
  writer = opened.status
  outboxes = new Outboxes(opened, options.uplinks, {
    next: (query) => thread.ask({ op: 'next', query }),
    drop: async (lane, number, why) => {
      await thread.ask({ op: 'drop', time: clock.now(), lane, number, why })
    },
  })
  const pace = new Pace(settings.commitEveryMs, post)

  async function post(isRegular: boolean): Promise<void> {
    // Also with nothing in it: what is committed but not cut wants the time.
    if (pending.isEmpty && (writer?.uncut ?? 0) === 0) return
    const { commit, transfer, settled, sinceMono } = pending.take(clock.now(), isRegular ? 'all' : 'entries')
    underWaySince = sinceMono
    askedMono = clock.mono()
    const result = await thread.ask({ op: 'commit', commit }, transfer).catch(failed)
    underWaySince = null
    askedMono = null
    // What was refused is owed and tried again with each commit; samples are not, so a commit without any says nothing of them.
    note('state', result.stateError, true)
    note('samples', result.samplesError, commit.runs.length > 0)
    for (const { tell, wantsSamples } of settled) {
      const message = result.stateError ?? (wantsSamples ? result.samplesError : null)
      tell(message === null ? null : new Error(`not stored: ${message}`))
    }
    if (!pending.isEmpty || (writer?.uncut ?? 0) > 0) pace.later()
  }

  /** One line when it changes. */
  function note(kind: keyof typeof refused, message: string | null, wasTried: boolean): void {
    if (message === null && !wasTried) return
    if (message !== null && refused[kind] === null) log.error({ room: 'store', kind }, `not stored: ${message}`)
    if (message === null && refused[kind] !== null) log.info({ room: 'store', kind }, 'stored again')
    refused[kind] = message
  }

  function saveCursors(): void {
    const cursors = outboxes?.takeCursors() ?? null
    if (cursors === null) return
    thread.ask({ op: 'cursors', time: clock.now(), cursors }).catch((error: unknown) => {
      log.warn({ room: 'store' }, `cursors are not saved: ${String(error)}`)
    })
  }
  const saving = repeat(CURSORS_EVERY_MS, saveCursors)

  function lagMs(): number {
    const since = underWaySince ?? pending.sinceMono
    return since === null ? 0 : Math.max(0, clock.mono() - since)
  }

  function status(): StoreStatus {
    const {
      samplesCommitted = 0,
      bytes = 0,
      commitEveryMs = settings.commitEveryMs,
      wearBytesPerDay = 0,
    } = writer ?? {}
    return {
      samplesCommitted,
      bytes,
      lagMs: lagMs(),
      durable: refused.state === null && refused.samples === null && thread.isAlive,
      entriesDurable: refused.state === null && thread.isAlive,
      commitEveryMs,
      wearBytesPerDay,
      wearSource: writer?.wearSource ?? 'none',
      batchesCut: { ...cutInThisBoot },
      dropped: writer?.dropped ?? { t: 0, a: 0, e: 0 },
      suspect: writer?.suspect ?? null,
    }
  }

  async function flush(): Promise<void> {
    if (pending.isEmpty) return
    await post(true)
  }

  let closing: Promise<void> | null = null
  async function close(): Promise<void> {
    pace.close()
    saving.close()
    try {
      await flush()
      const cursors = outboxes?.takeCursors() ?? []
      await thread.ask({ op: 'close', time: clock.now(), cursors })
    } finally {
      await thread.ended()
      unlock()
    }
  }

  return {
    identity: opened.identity,
    states: opened.states,
    commit(delta: StoreDelta) {
      pending.add(delta)
      if (delta.urgent) pace.urgent()
      else pace.later()
    },
    observe(time: ClockReading, samples) {
      pending.observe(time, samples)
      pace.later()
    },
    outbox: (uplink) => {
      if (outboxes === null) throw new Error('the store is not open')
      return outboxes.outbox(uplink)
    },
    onCut(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    nextConnection: () => thread.ask({ op: 'connection' }),
    adopt(site) {
      // What was read under the old numbers goes to the writer first; both are on their way before this call returns.
      if (!pending.isEmpty) void post(true)
      return thread.ask({ op: 'adopt', catalogue: catalogueOf(site), sha: site.catalogueSha })
    },
    history: (query) => thread.ask({ op: 'history', query }),
    tally: (lane, after, upTo) => thread.ask({ op: 'tally', lane, after, upTo }),
    status,
    async cutNow() {
      await flush()
      await thread.ask({ op: 'cut', time: clock.now() })
    },
    healthy: () =>
      thread.isAlive && lagMs() < PATIENCE_MS && (askedMono === null || clock.mono() - askedMono < PATIENCE_MS),
    close: () => (closing ??= close()),
  }
}

function catalogueOf({ points, devices }: Pick<StoreOptions, 'points' | 'devices'>): Catalogue {
  return {
    points: points.map(({ index, id, device, key, type, unit }) => ({ index, id, device, key, type, unit })),
    deviceIds: devices.map((device) => device.id),
  }
}

function failed(error: unknown): CommitResult {
  const message = error instanceof Error ? error.message : String(error)
  return { stateError: message, samplesError: message }
}
