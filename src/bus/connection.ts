/**
 * The pipe of one bus: opened when there is something to ask, opened again after back-off with jitter, never two at once. A wire that
 * worked and drops is tried again at once and without a word (many devices close idle connections); only when that fails, or
 * when it never worked, the bus is offline.
 */
import type { Fault } from '../model/fault.ts'
import type { Bus, Line } from '../model/site.ts'
import { createBackoff } from '../runtime/backoff.ts'
import type { OpenPipe } from '../transport/open.ts'
import type { Ending, Pipe } from '../transport/transport.ts'
import { LINE_DEFAULT } from './timing.ts'

const BACKOFF_BASE_MS = 500
const BACKOFF_MAX_MS = 30_000
/** A serial adapter that is plugged in again must be good within 5 s. */
const BACKOFF_SERIAL_MAX_MS = 3000
/** An open pipe that lived so long counts as online although nobody has answered yet. */
const SETTLED_AFTER_MS = 1000

export type ConnectionHost = {
  readonly opened: (pipe: Pipe) => void
  /** The line setting is another one, after so long; `pipe` where the port had to be opened anew for it. */
  readonly retuned: (pipe: Pipe | null, tookMs: number) => void
  /** The pipe is gone. Called before anything is said about the bus. */
  readonly lost: (fault: Fault) => void
  readonly online: () => void
  readonly offline: (fault: Fault, why: string) => void
  /** Something changed: look again at what to do. */
  readonly changed: () => void
}

export class Connection {
  readonly #bus: Bus
  readonly #openPipe: OpenPipe
  readonly #host: ConnectionHost
  readonly #mono: () => number
  readonly #stop = new AbortController()
  readonly #backoff: ReturnType<typeof createBackoff>
  #pipe: Pipe | null = null
  #busy: Promise<void> | null = null
  #line: Line | null = null
  #openedAt = 0
  #retryAt = 0
  /** A sound frame came over this pipe. */
  #proven = false
  /** Why the last pipe was lost, until it is open again: the honest cause when reopening fails. */
  #lostBy: Fault | null = null
  #declared: 'online' | 'offline' | null = null
  opens = 0

  constructor(options: {
    bus: Bus
    openPipe: OpenPipe
    host: ConnectionHost
    mono: () => number
    random: () => number
  }) {
    this.#bus = options.bus
    this.#openPipe = options.openPipe
    this.#host = options.host
    this.#mono = options.mono
    const maxMs = options.bus.wire.kind === 'serial' ? BACKOFF_SERIAL_MAX_MS : BACKOFF_MAX_MS
    this.#backoff = createBackoff({ baseMs: BACKOFF_BASE_MS, maxMs, floor: 0.5, random: options.random })
  }

  get state(): 'online' | 'offline' | null {
    return this.#declared
  }

  /** May be written to, with this line setting. */
  get line(): Line | null {
    return this.#line
  }

  isOpen(): boolean {
    return this.#pipe !== null && this.#busy === null
  }

  /** When `step` has something to do by itself; Infinity: not before the world changes. */
  wakeAt(): number {
    if (this.#busy !== null) return Number.POSITIVE_INFINITY
    if (this.#pipe === null) return this.#retryAt
    return this.#declared === 'online' ? Number.POSITIVE_INFINITY : this.#openedAt + SETTLED_AFTER_MS
  }

  /** Opens with this setting if it is time. */
  step(now: number, line: Line | null): void {
    if (this.#stop.signal.aborted || this.#busy !== null) return
    if (this.#pipe === null) {
      if (now >= this.#retryAt) this.#run(this.#open(line))
    } else if (this.#declared !== 'online' && now >= this.#openedAt + SETTLED_AFTER_MS) this.#declareOnline()
  }

  /** A sound frame came. */
  prove(): void {
    if (this.#proven) return
    this.#proven = true
    this.#backoff.reset()
    this.#declareOnline()
  }

  /** Another line setting: in place where the port can, else by opening it again. */
  retune(line: Line | null): void {
    const pipe = this.#pipe
    if (pipe !== null && line !== null) this.#run(this.#retune(pipe, line))
  }

  /** Nobody answers although it looks open: a fresh connection shows whether anybody is there. */
  recycle(): void {
    const pipe = this.#pipe
    if (pipe === null) return
    this.#drop({ kind: 'closed' }, this.#mono())
    this.#run(pipe.close())
  }

  async close(): Promise<void> {
    this.#stop.abort()
    const pipe = this.#pipe
    this.#pipe = null
    if (pipe !== null) await pipe.close()
    if (this.#busy !== null) await this.#busy
  }

  #run(work: Promise<void>): void {
    const busy = work.finally(() => {
      this.#busy = null
      if (!this.#stop.signal.aborted) this.#host.changed()
    })
    this.#busy = busy
  }

  async #retune(pipe: Pipe, line: Line): Promise<void> {
    const began = this.#mono()
    const done = await pipe.retune(line)
    if (this.#pipe !== pipe) return
    if (done) {
      this.#line = line
      this.#host.retuned(null, this.#mono() - began)
      return
    }
    // Closed on purpose, and opened again at once: nobody need hear of it unless that fails.
    this.#pipe = null
    await pipe.close()
    const fresh = await this.#openPipe(this.#bus.wire, line, { signal: this.#stop.signal })
    if (fresh.kind === 'ending') {
      this.#host.lost({ kind: 'closed' })
      this.#fail(fresh)
    } else if (this.#stop.signal.aborted) await fresh.close()
    else {
      this.#adopt(fresh, line)
      this.#host.retuned(fresh, this.#mono() - began)
    }
  }

  async #open(line: Line | null): Promise<void> {
    const { signal } = this.#stop
    const opened = await this.#openPipe(this.#bus.wire, line ?? LINE_DEFAULT, { signal })
    if (opened.kind === 'ending') {
      this.#fail(opened)
      return
    }
    if (signal.aborted) {
      await opened.close()
      return
    }
    this.opens += 1
    this.#openedAt = this.#mono()
    this.#proven = false
    this.#adopt(opened, line)
    this.#host.opened(opened)
  }

  #adopt(pipe: Pipe, line: Line | null): void {
    this.#pipe = pipe
    this.#line = line
    pipe.closed.then(
      (end) => this.#ended(pipe, end),
      (error: unknown) => this.#ended(pipe, { kind: 'ending', fault: { kind: 'closed' }, why: String(error) }),
    )
  }

  #fail(end: Ending): void {
    if (this.#stop.signal.aborted) return
    this.#retryAt = this.#mono() + this.#backoff.next()
    this.#declareOffline(this.#lostBy ?? end.fault, end.why)
  }

  #ended(pipe: Pipe, end: Ending): void {
    if (this.#pipe !== pipe || this.#stop.signal.aborted) return
    const now = this.#mono()
    const proven = this.#proven
    this.#drop(end.fault, now)
    if (!proven) {
      this.#retryAt = now + this.#backoff.next()
      this.#declareOffline(end.fault, end.why)
    }
    this.#host.changed()
  }

  #drop(fault: Fault, now: number): void {
    this.#pipe = null
    this.#lostBy = fault
    this.#retryAt = now
    this.#host.lost(fault)
  }

  #declareOnline(): void {
    this.#lostBy = null
    if (this.#declared === 'online') return
    this.#declared = 'online'
    this.#host.online()
  }

  #declareOffline(fault: Fault, why: string): void {
    if (this.#declared === 'offline') return
    this.#declared = 'offline'
    this.#host.offline(fault, why)
  }
}
