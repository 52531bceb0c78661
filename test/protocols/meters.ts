/** What tests of the meter protocols share: frames through a framing, points, four ways, a seeded mutator. */
import { expect } from 'vitest'
import type { Place, Point, PointType } from '../../src/model/point.ts'
import type { Reading } from '../../src/model/sample.ts'
import type { Address, Block, Framing, Protocol, Question } from '../../src/protocols/protocol.ts'
import { LIMITS, meterPoint } from './make.ts'

/** Takes frames from the front, sheds the rest. */
export function drain(
  framing: Framing,
  received: Uint8Array,
  question?: Question,
): { frames: Uint8Array[]; shed: number; left: number } {
  const frames: Uint8Array[] = []
  let at = 0
  let shed = 0
  while (at < received.length) {
    const split = framing.split(received.subarray(at), question)
    if (split.kind === 'more') break
    if (split.kind === 'frame') frames.push(split.frame)
    else shed += split.used
    at += split.used
  }
  return { frames, shed, left: received.length - at }
}

/** Parse, no proper prefix is a frame, noise in front is shed; building again is the protocol's own. */
export function threeWays(framing: Framing, frame: Uint8Array, question?: Question): void {
  const split = framing.split(frame)
  expect(split).toEqual({ kind: 'frame', frame, used: frame.length })
  for (let length = 0; length < frame.length; length++) {
    expect(framing.split(frame.subarray(0, length)).kind, `${length} bytes`).toBe('more')
  }
  const noise = Uint8Array.of(0x00, 0xff, 0x55, 0x68, 0xff)
  const found = drain(framing, Uint8Array.of(...noise, ...frame), question)
  expect(found.frames).toEqual([frame])
  expect(found.left).toBe(0)
}

export function pointsAt(places: readonly (readonly [Place, PointType])[], everyMs = 60_000): Point[] {
  return places.map(([place, type], index) => meterPoint(index, place, type, everyMs))
}

export function planOne(protocol: Protocol, points: readonly Point[]): Block {
  const [block, ...more] = protocol.plan(points, LIMITS, new Set())
  if (block === undefined || more.length > 0) throw new Error(`${more.length + 1} blocks`)
  return block
}

/** Asks all of a chain, answered by `replies` in order; the readings that come of it. */
export function exchange(
  protocol: Protocol,
  points: readonly Point[],
  address: Address,
  replies: readonly Uint8Array[],
  transaction = 0,
): readonly Reading[] {
  const framing = protocol.framing('serial')
  if (framing === null) throw new Error('no framing')
  const block = planOne(protocol, points)
  const bodies: Uint8Array[] = []
  let question: Question | undefined = block.ask(address)
  for (const reply of replies) {
    if (question === undefined) throw new Error('more replies than questions')
    const verdict = framing.judge(reply, question, transaction)
    if (verdict.kind !== 'answer') throw new Error(JSON.stringify(verdict))
    bodies.push(verdict.body)
    question = verdict.more
  }
  if (question !== undefined) throw new Error('a question is left')
  return block.read(points, bodies)
}

/** Mulberry32: the same seed, the same numbers. */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** A frame with some of its bytes changed, lost, doubled or cut off. */
export function mutate(frame: Uint8Array, roll: (below: number) => number): Uint8Array {
  const bytes = [...frame]
  for (let n = 1 + roll(4); n > 0; n--) {
    const at = roll(bytes.length + 1)
    const kind = roll(5)
    if (kind === 0) bytes[at] = roll(256)
    else if (kind === 1) bytes.splice(at, 1)
    else if (kind === 2) bytes.splice(at, 0, roll(256))
    else if (kind === 3) bytes.splice(at, 1 + roll(8))
    else bytes[at] = (bytes[at] ?? 0) ^ (1 << roll(8))
  }
  return Uint8Array.from(bytes, (byte) => byte ?? 0)
}
