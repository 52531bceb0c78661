/**
 * One segment of lane t: `t-<first number>.db`. Chunks, the batches cut from them, and the dictionary that both are written in.
 * A chunk and the batch cut with it are one commit.
 */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import { packChunk, unpackChunk } from './chunk.ts'
import { buildContent, type Content, type ContentPart, contentId, ENCODER } from './content.ts'
import type { Cut } from './cut.ts'
import { type Connection, openDatabase, openReadOnly, quickCheck } from './database.ts'
import { Dictionary } from './dictionary.ts'
import type { BatchHead, BatchId, ChunkHead } from './heads.ts'
import { migrate } from './migrations.ts'
import { type PackedSamples, rangeOf, SamplePacker } from './packed.ts'

const STEPS = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE point (n INTEGER PRIMARY KEY, device TEXT NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL, unit TEXT, cv INTEGER NOT NULL) STRICT;
   CREATE TABLE chunk (n INTEGER PRIMARY KEY, boot INTEGER NOT NULL, cv INTEGER NOT NULL, mono_min INTEGER NOT NULL, mono_max INTEGER NOT NULL,
     offset REAL NOT NULL, quality INTEGER NOT NULL, error REAL, count INTEGER NOT NULL, bytes INTEGER NOT NULL,
     crc INTEGER NOT NULL, deflated INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
   CREATE TABLE batch (number INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, boot INTEGER NOT NULL, cv INTEGER NOT NULL,
     t0 INTEGER NOT NULL, quality INTEGER NOT NULL, error REAL, mono INTEGER, rebase REAL, count INTEGER NOT NULL, newest INTEGER NOT NULL,
     cut_mono REAL NOT NULL, encoder INTEGER NOT NULL, id TEXT NOT NULL) STRICT;`,
] as const

const HEAD =
  'n, boot, cv, mono_min AS monoMin, mono_max AS monoMax, offset AS offsetMs, quality, error AS errorMs, count, bytes'
const BATCH =
  'number, first, last, boot, cv, t0, quality, error AS errorMs, mono, rebase, count, newest AS newestAt, cut_mono AS cutMono, encoder, id'

const SQL = {
  meta: 'SELECT value FROM meta WHERE key = ?',
  putMeta: 'INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)',
  points: 'SELECT n, device, key, type, unit, cv FROM point ORDER BY n',
  putPoint: 'INSERT OR REPLACE INTO point (n, device, key, type, unit, cv) VALUES (?, ?, ?, ?, ?, ?)',
  putChunk:
    'INSERT OR REPLACE INTO chunk (n, boot, cv, mono_min, mono_max, offset, quality, error, count, bytes, crc, deflated, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  chunks: `SELECT ${HEAD}, crc, deflated, body FROM chunk WHERE n BETWEEN ? AND ? ORDER BY n`,
  heads: `SELECT ${HEAD} FROM chunk WHERE n > ? ORDER BY n`,
  lastChunk: 'SELECT max(n) FROM chunk',
  putBatch:
    'INSERT OR REPLACE INTO batch (number, first, last, boot, cv, t0, quality, error, mono, rebase, count, newest, cut_mono, encoder, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  batch: `SELECT ${BATCH} FROM batch WHERE number > ? ORDER BY number LIMIT 1`,
  lastBatch: `SELECT ${BATCH} FROM batch ORDER BY number DESC LIMIT 1`,
  notes: 'SELECT number, count, newest AS newestAt FROM batch ORDER BY number',
  ids: 'SELECT number, count, id FROM batch WHERE number > ? AND number <= ? ORDER BY number',
} as const

/** Below it a chunk is not worth inflating again. */
const DEFLATE_FROM = 2048
/** Samples kept as they came until their batch is cut, about 6 MB: under such a load reading them back would cost as much as writing. */
const FRESH_MAX = 250_000

export type StoredBatch = BatchHead & {
  readonly first: number
  readonly last: number
  readonly rebase: number | null
  readonly encoder: number
}

type StoredChunk = ChunkHead & { readonly crc: number; readonly deflated: number; readonly body: Uint8Array }

/** The content of a chunk or batch is not what was written. */
export class DamageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DamageError'
  }
}

function connect(file: string, mode: 'write' | 'read') {
  const db = mode === 'read' ? openReadOnly(file) : openDatabase(file, OPTIONS)
  try {
    if (mode === 'write') migrate(db, file, STEPS)
    return { db, statements: prepare(db) }
  } catch (error) {
    db.close()
    throw error
  }
}

const OPTIONS = {
  pageSize: 1024,
  synchronous: 'FULL',
  exclusive: false,
  cacheKiB: 1024,
  checkpointPages: 1000,
} as const

function prepare(db: Connection) {
  return {
    meta: db.prepare<[string], string>(SQL.meta).pluck(),
    putMeta: db.prepare(SQL.putMeta),
    putPoint: db.prepare(SQL.putPoint),
    putChunk: db.prepare(SQL.putChunk),
    chunks: db.prepare<[number, number], StoredChunk>(SQL.chunks),
    heads: db.prepare<[number], ChunkHead>(SQL.heads),
    lastChunk: db.prepare<[], number | null>(SQL.lastChunk).pluck(),
    putBatch: db.prepare(SQL.putBatch),
    batch: db.prepare<[number], StoredBatch>(SQL.batch),
    lastBatch: db.prepare<[], StoredBatch>(SQL.lastBatch),
    notes: db.prepare<[], { number: number; count: number; newestAt: number }>(SQL.notes),
    ids: db.prepare<[number, number], BatchId>(SQL.ids),
  }
}

export class Segment {
  readonly file: string
  readonly #db: Connection
  readonly #statements: ReturnType<typeof prepare>
  readonly dictionary: Dictionary
  /** By chunk: what was packed and is not cut yet. */
  readonly #fresh = new Map<number, PackedSamples>()
  #freshCount = 0

  /** `read` for sealed segments. */
  constructor(file: string, mode: 'write' | 'read') {
    const { db, statements } = connect(file, mode)
    this.file = file
    this.#db = db
    this.#statements = statements
    this.dictionary = new Dictionary(db.prepare<[], Dictionary['rows'][number]>(SQL.points).all())
  }

  meta(key: string): string | null {
    return this.#statements.meta.get(key) ?? null
  }

  /** Batches above `after` and up to `upTo`, ascending. */
  ids(after: number, upTo: number): readonly BatchId[] {
    return this.#statements.ids.all(after, upTo)
  }

  putMeta(key: string, value: string): void {
    this.#statements.putMeta.run(key, value)
  }

  /** All or nothing, durable when it returns. On a throw the in-memory dictionary is stale: open the segment again. */
  commit(body: () => void): void {
    try {
      this.#db.transaction(body).immediate()
    } catch (error) {
      this.#fresh.clear()
      this.#freshCount = 0
      throw error
    }
  }

  #keepFresh(n: number, samples: PackedSamples): void {
    // Texts are not sure to come back as they went: half a surrogate pair has no UTF-8.
    if (samples.texts.length > 0 || this.#freshCount + samples.count > FRESH_MAX) return
    this.#fresh.set(n, samples)
    this.#freshCount += samples.count
  }

  #takeFresh(n: number): PackedSamples | null {
    const samples = this.#fresh.get(n)
    if (samples === undefined) return null
    this.#fresh.delete(n)
    this.#freshCount -= samples.count
    return samples
  }

  /** Inside `commit`: dictionary rows that are new, then the chunk. `samples` carry dictionary numbers. */
  putChunk(head: ChunkHead, samples: PackedSamples, from: number, to: number): void {
    for (const row of this.dictionary.takeNew()) {
      this.#statements.putPoint.run(row.n, row.device, row.key, row.type, row.unit, row.cv)
    }
    const packed = packChunk({ samples, from, to }, this.dictionary, head.monoMin)
    const deflated = packed.length > DEFLATE_FROM ? deflateRawSync(packed, { level: 1 }) : packed
    const pays = deflated.length < packed.length * 0.95
    const body = pays ? deflated : packed
    this.#statements.putChunk.run(
      head.n,
      head.boot,
      head.cv,
      head.monoMin,
      head.monoMax,
      head.offsetMs,
      head.quality,
      head.errorMs,
      head.count,
      head.bytes,
      checksum(head, body),
      pays ? 1 : 0,
      body,
    )
    this.#keepFresh(head.n, rangeOf(samples, from, to))
  }

  /** Inside `commit`: freezes range, header and the hash of the content. */
  putBatch(number: number, cut: Cut, cutMono: number): BatchHead & { readonly content: string } {
    const [first] = cut.chunks
    const last = cut.chunks.at(-1)
    if (first === undefined || last === undefined) throw new Error('a batch holds at least one chunk')
    const offsetOf = (chunk: ChunkHead): number => cut.rebaseMs ?? chunk.offsetMs
    const monoMin = Math.min(...cut.chunks.map((chunk) => chunk.monoMin))
    const t0 = Math.min(...cut.chunks.map((chunk) => Math.round(chunk.monoMin + offsetOf(chunk))))
    const newestAt = Math.max(...cut.chunks.map((chunk) => Math.round(chunk.monoMax + offsetOf(chunk))))
    const errors = cut.chunks.map((chunk) => chunk.errorMs).filter((error) => error !== null)
    const content = this.#contentOfCut(cut, t0)
    const head: BatchHead = {
      number,
      boot: first.boot,
      cv: first.cv,
      t0,
      quality: cut.quality,
      errorMs: errors.length > 0 ? Math.max(...errors) : null,
      mono: cut.quality === 0 ? monoMin : null,
      count: content.count,
      newestAt,
      cutMono,
      id: contentId(content.text),
    }
    this.#statements.putBatch.run(
      number,
      first.n,
      last.n,
      head.boot,
      head.cv,
      t0,
      head.quality,
      head.errorMs,
      head.mono,
      cut.rebaseMs,
      head.count,
      newestAt,
      cutMono,
      ENCODER,
      head.id,
    )
    return { ...head, content: content.text }
  }

  /** The first batch with a number above `after`. */
  batchAfter(after: number): StoredBatch | null {
    return this.#statements.batch.get(after) ?? null
  }

  lastBatch(): StoredBatch | null {
    return this.#statements.lastBatch.get() ?? null
  }

  /** Encoded anew; throws a DamageError when it is not what was cut. */
  contentOf(batch: StoredBatch): string {
    if (batch.encoder !== ENCODER) throw new DamageError(`${this.file}: encoder ${batch.encoder} is not known`)
    const { text } = this.#content(batch.first, batch.last, batch.rebase, batch.t0)
    if (contentId(text) !== batch.id) throw new DamageError(`${this.file}: batch ${batch.number} is not what was cut`)
    return text
  }

  /** From memory where all of it is still there, which gives the same text: a chunk is packed without loss. */
  #contentOfCut(cut: Cut, t0: number): Content {
    const parts: ContentPart[] = []
    for (const { n, offsetMs } of cut.chunks) {
      const samples = this.#takeFresh(n)
      if (samples !== null) parts.push({ samples, offsetMs: cut.rebaseMs ?? offsetMs })
    }
    if (parts.length === cut.chunks.length) return buildContent(parts, this.dictionary, t0)
    return this.#content(cut.chunks[0]?.n ?? 0, cut.chunks.at(-1)?.n ?? 0, cut.rebaseMs, t0)
  }

  #content(first: number, last: number, rebaseMs: number | null, t0: number): Content {
    const parts: ContentPart[] = []
    let expected = first
    for (const chunk of this.#statements.chunks.all(first, last)) {
      if (chunk.n !== expected++) throw new DamageError(`${this.file}: chunk ${expected - 1} is missing`)
      const packer = new SamplePacker()
      this.#unpack(chunk, packer)
      parts.push({ samples: packer.take(), offsetMs: rebaseMs ?? chunk.offsetMs })
    }
    if (expected !== last + 1) throw new DamageError(`${this.file}: chunk ${expected} is missing`)
    return buildContent(parts, this.dictionary, t0)
  }

  #unpack(chunk: StoredChunk, into: SamplePacker, only: ReadonlySet<number> | null = null): void {
    if (checksum(chunk, chunk.body) !== chunk.crc) throw new DamageError(`${this.file}: chunk ${chunk.n} is damaged`)
    try {
      const bytes = chunk.deflated === 1 ? inflateRawSync(chunk.body) : chunk.body
      unpackChunk(bytes, this.dictionary, chunk.monoMin, into, only)
    } catch (error) {
      throw new DamageError(`${this.file}: chunk ${chunk.n}: ${String(error)}`)
    }
  }

  /** Samples of one chunk (`only` those of some points), points as dictionary numbers; null when there is no such chunk. */
  samplesOf(n: number, into: SamplePacker, only: ReadonlySet<number> | null = null): ChunkHead | null {
    const chunk = this.#statements.chunks.get(n, n)
    if (chunk === undefined) return null
    this.#unpack(chunk, into, only)
    return chunk
  }

  headsAfter(n: number): readonly ChunkHead[] {
    return this.#statements.heads.all(n)
  }

  lastChunk(): number {
    return this.#statements.lastChunk.get() ?? 0
  }

  notes(): readonly { readonly number: number; readonly count: number; readonly newestAt: number }[] {
    return this.#statements.notes.all()
  }

  bytes(): number {
    return Number(this.#db.pragma('page_count', { simple: true })) * 1024
  }

  /** Reads everything: structure, checksums, numbers without a hole. Returns what is wrong, or null. */
  examine(): string | null {
    const found = quickCheck(this.#db)
    if (found !== 'ok') return found
    const last = this.lastChunk()
    for (let n = 1; n <= last; n++) {
      const chunk = this.#statements.chunks.get(n, n)
      if (chunk === undefined) return `chunk ${n} is missing`
      if (checksum(chunk, chunk.body) !== chunk.crc) return `chunk ${n} is damaged`
    }
    return null
  }

  /** Whole in one file, without a WAL: readable from now on, never written again. */
  seal(): void {
    this.#db.pragma('journal_mode = DELETE')
    this.#db.close()
  }

  close(): void {
    this.#db.close()
  }
}

/** Over the head too: a damaged time is as wrong as a damaged value. */
function checksum(head: ChunkHead, body: Uint8Array): number {
  const text = [
    head.n,
    head.boot,
    head.cv,
    head.monoMin,
    head.monoMax,
    head.offsetMs,
    head.quality,
    head.errorMs,
    head.count,
    head.bytes,
  ].join()
  return crc32(body, crc32(text))
}
