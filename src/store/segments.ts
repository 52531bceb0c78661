/** The segments of lane t in a directory: which there are, which one is written, a few open for reading. */
import { readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { syncDirectory } from './database.ts'
import { Segment } from './segment.ts'

export type SegmentNote = {
  /** Number of the first batch that may be in it; part of the name. */
  readonly first: number
  readonly file: string
  /** Last batch in it; `first` - 1 while there is none. */
  last: number
  samples: number
  newestAt: number
  bytes: number
}

const NAME = /^t-(\d+)\.db$/
const READERS_MAX = 3

export class Segments {
  readonly #dir: string
  #notes: SegmentNote[] = []
  /** Sealed segments open for reading, the one used last at the end. */
  readonly #readers = new Map<number, Segment>()
  #current: Segment | null = null

  constructor(dir: string) {
    this.#dir = dir
    this.#notes = readdirSync(dir)
      .map((name) => NAME.exec(name)?.[1])
      .filter((first) => first !== undefined)
      .map((first) => this.#note(Number(first)))
      .sort((a, b) => a.first - b.first)
  }

  get notes(): readonly SegmentNote[] {
    return this.#notes
  }

  /** The one that is written. */
  get current(): Segment | null {
    return this.#current
  }

  #note(first: number): SegmentNote {
    const file = join(this.#dir, `t-${first}.db`)
    const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0
    return { first, file, last: first - 1, samples: 0, newestAt: 0, bytes }
  }

  /** Opens the newest for writing. */
  openNewest(): Segment | null {
    const newest = this.#notes.at(-1)
    if (newest === undefined) return null
    this.#current?.close()
    this.#current = null
    this.#current = new Segment(newest.file, 'write')
    return this.#current
  }

  /** Begins a new one; the one before is sealed. */
  begin(first: number, epoch: string, day: string): Segment {
    this.seal()
    const note = this.#note(first)
    const segment = new Segment(note.file, 'write')
    try {
      segment.commit(() => {
        segment.putMeta('epoch', epoch)
        segment.putMeta('day', day)
      })
      syncDirectory(this.#dir)
    } catch (error) {
      segment.close()
      removeFile(note.file)
      throw error
    }
    this.#notes.push(note)
    this.#current = segment
    return segment
  }

  seal(): void {
    const current = this.#current
    const note = this.#notes.at(-1)
    this.#current = null
    if (current === null || note === undefined) return
    current.seal()
    note.bytes = statSync(note.file).size
  }

  /** Reopens the current one after an error: page cache and dictionary are not trusted any more. */
  reopen(): Segment | null {
    return this.openNewest()
  }

  /** The segment in which a batch with a number above `after` may be. */
  noteAfter(after: number): SegmentNote | null {
    return this.#notes.find((note) => note.last > after) ?? null
  }

  /** For reading; the current one is given as it is. */
  open(note: SegmentNote): Segment {
    if (this.#current !== null && note === this.#notes.at(-1)) return this.#current
    const known = this.#readers.get(note.first)
    if (known !== undefined) {
      this.#readers.delete(note.first)
      this.#readers.set(note.first, known)
      return known
    }
    const segment = new Segment(note.file, 'read')
    this.#readers.set(note.first, segment)
    if (this.#readers.size > READERS_MAX) {
      const [oldest] = this.#readers.keys()
      if (oldest !== undefined) this.#closeReader(oldest)
    }
    return segment
  }

  #closeReader(first: number): void {
    this.#readers.get(first)?.close()
    this.#readers.delete(first)
  }

  #forget(note: SegmentNote): void {
    if (note === this.#notes.at(-1)) {
      this.#current?.close()
      this.#current = null
    }
    this.#closeReader(note.first)
    this.#notes = this.#notes.filter((other) => other !== note)
  }

  /** Damaged, or of another epoch: out of the way, kept for whoever wants to look. */
  setAside(note: SegmentNote, suffix: string): void {
    try {
      this.#forget(note)
    } finally {
      this.#notes = this.#notes.filter((other) => other !== note)
      for (const part of ['', '-wal', '-shm']) {
        const from = `${note.file}${part}`
        if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, `${note.file}.${suffix}${part}`)
      }
      syncDirectory(this.#dir)
    }
  }

  /** The caller has made sure that nobody needs it any more, durably. */
  unlink(note: SegmentNote): void {
    this.#forget(note)
    removeFile(note.file)
    syncDirectory(this.#dir)
  }

  /** Files on disk, the WAL of the current one included. */
  bytes(): number {
    const current = this.#current
    const newest = this.#notes.at(-1)
    if (current !== null && newest !== undefined) newest.bytes = current.bytes()
    return this.#notes.reduce((sum, note) => sum + note.bytes, 0)
  }

  close(): void {
    for (const first of this.#readers.keys()) this.#closeReader(first)
    this.#current?.close()
    this.#current = null
  }
}

function removeFile(file: string): void {
  for (const part of ['-wal', '-shm', '']) rmSync(`${file}${part}`, { force: true })
}
