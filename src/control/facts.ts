/** What the gateway finds out about itself, once a second, for its built-in alarms; and the moment at which the clock became true. */
import { X509Certificate } from 'node:crypto'
import { statfs } from 'node:fs/promises'
import type { Truth } from '../alarm/condition.ts'
import type { Text } from '../model/point.ts'
import type { Site } from '../model/site.ts'
import { type Clock, isTrusted } from '../runtime/clock.ts'
import { createLoadMeter, processLoad } from '../runtime/load.ts'
import type { Log } from '../runtime/log.ts'
import { type Repeat, repeat } from '../runtime/timer.ts'
import type { Store } from '../store/contract.ts'

export type FactOptions = {
  readonly site: Site
  readonly data: string
  readonly clock: Clock
  readonly store: Pick<Store, 'status'>
  readonly log: Log
  readonly setFact: (key: string, truth: Truth, detail?: Text | null) => void
  /** The clock has become trusted in this boot. */
  readonly timeCame: () => void
}

/** Below this share of free space telemetry will soon have to go. */
const FREE_SHARE_MIN = 0.05
const DISK_EVERY_MS = 10_000
const CERTIFICATES_EVERY_MS = 3_600_000
const EXPIRES_WITHIN_MS = 30 * 86_400_000

export type Facts = Repeat & {
  /** Share of the data disk in use, 0..1; null: could not be asked. */
  readonly diskUsed: () => number | null
  /** Share of one core that this process takes, 0..1 and above. */
  readonly cpuUsed: () => number
}

export function watchFacts(options: FactOptions): Facts {
  const { clock, store, setFact, log } = options
  let trusted: boolean | null = null
  let diskAt = Number.NEGATIVE_INFINITY
  let certificatesAt = Number.NEGATIVE_INFINITY
  let diskUsed: number | null = null
  let diskTruth: Truth = 'unknown'
  const load = createLoadMeter(processLoad(clock.mono))

  function lookAtClock(): void {
    const now = isTrusted(clock.now().quality)
    if (now === trusted) return
    setFact('clock_untrusted', now ? 'no' : 'yes')
    if (now && trusted === false) options.timeCame()
    trusted = now
  }

  async function lookAtDisk(): Promise<void> {
    try {
      const { bavail, blocks } = await statfs(options.data)
      diskUsed = blocks === 0 ? null : 1 - bavail / blocks
      diskTruth = diskUsed === null ? 'unknown' : diskUsed > 1 - FREE_SHARE_MIN ? 'yes' : 'no'
    } catch (error) {
      // A disk that cannot even be asked is no full disk; the store says by itself that it cannot write.
      if (diskTruth !== 'unknown')
        log.warn({ err: error, data: options.data }, 'cannot ask the data disk for its free space')
      diskTruth = 'unknown'
      diskUsed = null
    }
    setFact('disk_full', diskTruth, diskUsed === null ? null : same(`${Math.round(diskUsed * 100)} %`))
  }

  function lookAtCertificates(): void {
    const now = clock.utc()
    const told: [key: string, pem: string | null | undefined][] = options.site.uplinks.map(({ id, tls }) => [
      id,
      tls?.cert,
    ])
    const { broker } = options.site
    if (broker?.tls) told.push(['broker', broker.tls.cert])
    for (const [id, pem] of told) {
      const { truth, detail } = certificateFact(pem ?? null, isTrusted(clock.now().quality) ? now : null)
      setFact(`certificate_expiring.${id}`, truth, detail)
    }
  }

  // The first heartbeat is not to wait for the first beat.
  void lookAtDisk()
  const beat = repeat(1000, () => {
    const mono = clock.mono()
    lookAtClock()
    const { durable, suspect } = store.status()
    setFact(
      'storage_suspect',
      !durable || suspect !== null ? 'yes' : 'no',
      // What the database says of itself is English.
      suspect !== null ? same(suspect) : durable ? null : { en: 'commits fail', zh: '写盘失败' },
    )
    if (mono - diskAt >= DISK_EVERY_MS) {
      diskAt = mono
      void lookAtDisk()
      load.look()
    }
    if (mono - certificatesAt >= CERTIFICATES_EVERY_MS) {
      certificatesAt = mono
      lookAtCertificates()
    }
  })
  return { close: beat.close, diskUsed: () => diskUsed, cpuUsed: load.share }
}

/** `pem` null: there is none, and nothing expires. `now` null: nobody knows what day it is. One that cannot be read is as good as expired. */
export function certificateFact(pem: string | null, now: number | null): { truth: Truth; detail: Text | null } {
  if (pem === null) return { truth: 'no', detail: null }
  const ends = expiryOf(pem)
  if (ends === null) return { truth: 'yes', detail: { en: 'it cannot be read', zh: '无法读取' } }
  const detail = same(new Date(ends).toISOString())
  return { truth: now === null ? 'unknown' : ends - now < EXPIRES_WITHIN_MS ? 'yes' : 'no', detail }
}

/** The same in both languages. */
function same(text: string): Text {
  return { en: text, zh: text }
}

function expiryOf(pem: string): number | null {
  try {
    const ends = Date.parse(new X509Certificate(pem).validTo)
    return Number.isNaN(ends) ? null : ends
  } catch (error) {
    // OpenSSL says no, with a code; `check` warned of it.
    if (error instanceof Error && 'code' in error) return null
    throw error
  }
}
