/**
 * One commit's samples in chunks that a batch can hold: at most `cut.samples`, about `cut.bytes` of JSON. What fills several goes
 * device by device: a batch then says names once for many scans, which halves its bytes, packed and on the line. Pure.
 */
import type { StoreSettings } from '../model/site.ts'
import { estimateBytes, type Names } from './content.ts'
import type { ChunkHead } from './heads.ts'
import type { Run } from './messages.ts'
import type { PackedSamples } from './packed.ts'

export type RunPart = {
  readonly head: Omit<ChunkHead, 'n' | 'boot' | 'cv'>
  /** Points as dictionary numbers. */
  readonly samples: PackedSamples
  readonly from: number
  readonly to: number
}

export function splitRun(
  { time, samples }: Run,
  numbers: Uint32Array<ArrayBuffer>,
  names: Names,
  cut: StoreSettings['cut'],
): readonly RunPart[] {
  const numbered = samples.count > cut.samples ? byDevice(samples, numbers, names) : inOrder(samples, numbers)
  const parts: RunPart[] = []
  const seen = new Uint8Array(names.keyText.length)
  let from = 0
  let bytes = 0
  let monoMin = Number.POSITIVE_INFINITY
  let monoMax = Number.NEGATIVE_INFINITY
  const close = (to: number): void => {
    const clock = { offsetMs: time.offsetMs, quality: time.quality, errorMs: time.errorMs }
    parts.push({ head: { monoMin, monoMax, count: to - from, bytes, ...clock }, samples: numbered, from, to })
    from = to
    bytes = 0
    monoMin = Number.POSITIVE_INFINITY
    monoMax = Number.NEGATIVE_INFINITY
    seen.fill(0)
  }
  for (let at = 0; at < numbered.count; at++) {
    const point = numbered.point[at] ?? 0
    const size = estimateBytes(numbered, at, names.keyText[point]?.length ?? 0, seen[point] === 0)
    if (at > from && (at - from >= cut.samples || bytes + size > cut.bytes)) close(at)
    seen[point] = 1
    bytes += size
    const mono = numbered.mono[at] ?? 0
    monoMin = Math.min(monoMin, mono)
    monoMax = Math.max(monoMax, mono)
  }
  if (numbered.count > from) close(numbered.count)
  return parts
}

/** With dictionary numbers and in whole ms, as they will be read back. */
function inOrder(samples: PackedSamples, numbers: Uint32Array<ArrayBuffer>): PackedSamples {
  return { ...samples, point: samples.point.map((point) => numbers[point] ?? 0), mono: samples.mono.map(Math.round) }
}

/** The same, sorted by device; within each in the order in which they came. */
function byDevice(samples: PackedSamples, numbers: Uint32Array<ArrayBuffer>, names: Names): PackedSamples {
  const { count } = samples
  const places = new Uint32Array(names.deviceText.length + 1)
  for (let at = 0; at < count; at++) {
    const next = (names.device[numbers[samples.point[at] ?? 0] ?? 0] ?? 0) + 1
    places[next] = (places[next] ?? 0) + 1
  }
  for (let device = 1; device < places.length; device++) {
    places[device] = (places[device] ?? 0) + (places[device - 1] ?? 0)
  }
  const sorted: PackedSamples = {
    count,
    point: new Uint32Array(count),
    mono: new Float64Array(count),
    kind: new Uint8Array(count),
    cause: new Uint8Array(count),
    value: new Float64Array(count),
    texts: samples.texts,
  }
  for (let at = 0; at < count; at++) {
    const point = numbers[samples.point[at] ?? 0] ?? 0
    const device = names.device[point] ?? 0
    const place = places[device] ?? 0
    places[device] = place + 1
    sorted.point[place] = point
    sorted.mono[place] = Math.round(samples.mono[at] ?? 0)
    sorted.kind[place] = samples.kind[at] ?? 0
    sorted.cause[place] = samples.cause[at] ?? 0
    sorted.value[place] = samples.value[at] ?? 0
  }
  return sorted
}
