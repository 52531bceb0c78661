/** One commit's samples in chunks that a batch can hold: at most `cut.samples`, about `cut.bytes` of JSON. Pure. */
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
  const numbered: PackedSamples = { ...samples, point: samples.point.map((point) => numbers[point] ?? 0) }
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
    const mono = Math.round(numbered.mono[at] ?? 0)
    monoMin = Math.min(monoMin, mono)
    monoMax = Math.max(monoMax, mono)
  }
  if (numbered.count > from) close(numbered.count)
  return parts
}
