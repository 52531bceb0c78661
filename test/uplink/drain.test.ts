/** The order of sending as timelines: no sockets, no waiting. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Lane } from '../../src/model/journal.ts'
import { createDrain, type Drain, type DrainFacts, LANE_OF, type Parcel } from '../../src/uplink/drain.ts'
import { TIMINGS } from '../../src/uplink/timings.ts'

type Bench = {
  now: number
  readonly drain: Drain
  facts: DrainFacts
  /** What the store would answer. */
  readonly stored: Record<Lane, Map<number, number>>
  readonly put: (lane: Lane, numbers: readonly number[], bytes?: number) => void
  /** Reads what is wanted and sends all that may go: `a1 t4 b2`. */
  readonly run: () => string
  /** true: the store's answers come with the next `run`, as they were when it was asked. */
  late: boolean
  readonly answer: (sent: string, code?: number) => string[]
}

function bench(options: { bytesPerSecond?: number; delayMs?: number; receiveMax?: number } = {}): Bench {
  const drain = createDrain({
    timings: TIMINGS,
    backfill: { bytesPerSecond: options.bytesPerSecond ?? 32_768, delayMs: options.delayMs ?? 30_000 },
    random: () => 0.5,
  })
  const stored: Record<Lane, Map<number, number>> = { t: new Map(), a: new Map(), e: new Map() }
  const owed: (() => void)[] = []
  const self: Bench = {
    now: 0,
    late: false,
    drain,
    stored,
    facts: { hi: { t: 0, a: 0, e: 0 }, oldUpTo: 0, alarmsOnly: false, others: 0 },
    put(lane, numbers, bytes = 1000) {
      for (const number of numbers) stored[lane].set(number, bytes)
      self.facts = { ...self.facts, hi: { ...self.facts.hi, [lane]: Math.max(self.facts.hi[lane], ...numbers) } }
    },
    run() {
      const sent: string[] = []
      for (let round = 0; round < (self.late ? 1 : 50); round++) {
        for (const come of owed.splice(0)) come()
        for (const want of drain.wants(self.now, self.facts)) {
          const lane = LANE_OF[want.stream]
          const parcels: Parcel[] = [...stored[lane]]
            .filter(([number]) => number > want.after)
            .sort(([a], [b]) => a - b)
            .slice(0, 8)
            .map(([number, bytes]) => ({ lane, number, samples: 1, payload: new Uint8Array(bytes) }))
          const hi = want.stream === 'b' ? self.facts.oldUpTo : self.facts.hi[lane]
          const come = (): void => drain.offer(want, parcels, self.now, { hi, oldUpTo: self.facts.oldUpTo })
          if (self.late) owed.push(come)
          else come()
        }
        for (
          let dispatch = drain.next(self.now, self.facts);
          dispatch !== null;
          dispatch = drain.next(self.now, self.facts)
        ) {
          sent.push(`${dispatch.stream}${dispatch.parcel.number}`)
        }
      }
      return sent.join(' ')
    },
    answer(sent, code = 0) {
      return sent.split(' ').map((name) => {
        const stream = name.slice(0, 1) as 'a' | 'e' | 't' | 'b'
        const lane = LANE_OF[stream]
        const settlement = drain.answered(lane, Number(name.slice(1)), code, self.now)
        if (settlement === 'confirm') stored[lane].delete(Number(name.slice(1)))
        return settlement
      })
    },
  }
  drain.connected(0, { receiveMax: options.receiveMax ?? 65_535 })
  return self
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** Sends and acknowledges in turn, `rttMs` apart, until nothing goes any more. */
function play(self: Bench, rounds: number, rttMs = 10): string {
  const all: string[] = []
  for (let round = 0; round < rounds; round++) {
    const sent = self.run()
    self.now += rttMs
    if (sent === '') continue
    all.push(sent)
    self.answer(sent)
  }
  return all.join(' ')
}

describe('order', () => {
  it('a before e before t', () => {
    const self = bench()
    self.put('t', [1, 2])
    self.put('e', [1])
    self.put('a', [1, 2])
    expect(play(self, 10)).toBe('a1 a2 e1 t1 t2')
  })

  it('young batches go out on t in order, old ones wait for the backlog’s time', () => {
    const self = bench({ delayMs: 30_000 })
    self.put('t', range(1, 6))
    self.facts = { ...self.facts, oldUpTo: 4 }
    expect(play(self, 20)).toBe('t5 t6')
    self.now = 59_000 // delay + half of twice the delay = 60 s
    expect(play(self, 5)).toBe('')
    self.now = 60_001
    expect(play(self, 400)).toBe('b1 b2 b3 b4')
  })

  it('a live batch that grows old while it waits belongs to the backlog', () => {
    const self = bench({ delayMs: 0 })
    self.put('t', [1, 2, 3], 4000)
    expect(self.run()).toBe('t1') // the line is not measured yet: one message at a time
    self.now = 10_000
    self.facts = { ...self.facts, oldUpTo: 3 }
    self.answer('t1')
    expect(play(self, 3000)).toBe('b2 b3')
  })

  it('the backlog stops whenever a or t has something to send', () => {
    const self = bench({ delayMs: 0 })
    self.put('t', range(1, 40))
    self.facts = { ...self.facts, oldUpTo: 40 }
    const first = play(self, 60)
    expect(first).toMatch(/^b1 b2/)
    self.put('t', [41])
    self.put('a', [1])
    expect(self.run()).toBe('a1 t41')
    expect(self.run()).toBe('')
    self.answer('a1 t41')
    self.now += 1000
    expect(self.run()).toMatch(/^b/)
  })

  it('a long queue of events lets live data through within seconds', () => {
    const self = bench()
    self.put('e', range(1, 2000))
    self.put('t', [1, 2])
    const sent: string[] = []
    let liveAt = Number.NaN
    for (let round = 0; round < 500 && Number.isNaN(liveAt); round++) {
      const names = self.run()
      self.now += 50
      if (names === '') continue
      sent.push(names)
      if (names.includes('t1')) liveAt = self.now
      self.answer(names)
    }
    expect(liveAt).toBeLessThan(10_000)
    expect(sent[0]).toMatch(/^e1/)
  })

  it('only alarms while only alarms may go', () => {
    const self = bench()
    self.facts = { ...self.facts, alarmsOnly: true }
    self.put('t', [1])
    self.put('e', [1])
    self.put('a', [1])
    expect(play(self, 5)).toBe('a1')
    self.facts = { ...self.facts, alarmsOnly: false }
    expect(play(self, 5)).toBe('e1 t1')
  })
})

describe('window', () => {
  it('12 places for all, 4 more for alarms', () => {
    const self = bench()
    self.put('t', [1], 200)
    play(self, 3, 1) // the line is measured: fast
    self.put('e', range(1, 40), 1)
    expect(self.run().split(' ')).toEqual(range(1, 12).map((number) => `e${number}`))
    self.put('a', range(1, 9))
    expect(self.run()).toBe('a1 a2 a3 a4')
    self.answer('e1')
    expect(self.run()).toBe('a5')
  })

  it('the state message takes a place', () => {
    const self = bench()
    self.facts = { ...self.facts, others: 1 }
    self.put('a', range(1, 40))
    expect(self.run().split(' ')).toHaveLength(15)
  })

  it.each([
    [1, 'a1'],
    [2, 'a1 a2'],
  ])('a server that takes %i at once', (receiveMax, sent) => {
    const self = bench({ receiveMax })
    self.put('a', range(1, 5))
    self.put('t', [1])
    expect(self.run()).toBe(sent)
  })

  it('bytes on the way stay below one second of what the line acknowledges', () => {
    const self = bench()
    self.put('t', range(1, 5000), 4000)
    let names = self.run()
    expect(names).toBe('t1')
    for (let round = 0; round < 40; round++) {
      self.now += 400 // 10,000 bytes a second with one message on the way
      self.answer(names)
      names = self.run()
      const bytes = self.drain.inFlight() * 4000
      expect(bytes).toBeLessThanOrEqual(Math.max(4000, self.drain.rate()))
    }
    expect(self.drain.inFlight()).toBeGreaterThan(1)
  })

  it('a message larger than the line’s second goes alone', () => {
    const self = bench()
    self.put('t', [1, 2], 48_000)
    expect(self.run()).toBe('t1')
    self.now = 10_000
    self.answer('t1')
    expect(self.run()).toBe('t2')
  })

  it('nothing acknowledged for 20 s is overdue', () => {
    const self = bench()
    self.put('a', [1])
    self.run()
    self.now = 19_999
    expect(self.drain.isOverdue(self.now)).toBe(false)
    self.now = 20_000
    expect(self.drain.isOverdue(self.now)).toBe(true)
    self.drain.lost('other')
    expect(self.drain.isOverdue(self.now)).toBe(false)
  })
})

describe('backlog', () => {
  it('keeps to its rate without live data', () => {
    const self = bench({ bytesPerSecond: 10_000, delayMs: 0 })
    self.put('t', range(1, 1000), 1000)
    self.facts = { ...self.facts, oldUpTo: 1000 }
    const sent = play(self, 6000, 10).split(' ') // one minute
    expect(sent.length).toBeGreaterThan(580)
    expect(sent.length).toBeLessThan(625)
  })

  it('takes at most a quarter of the line while there is live data', () => {
    const self = bench({ bytesPerSecond: 1_000_000, delayMs: 0 })
    self.put('t', range(1, 5000), 1000)
    self.facts = { ...self.facts, oldUpTo: 5000 }
    let backlog = 0
    let live = 5000
    let nextLive = 0
    // A line of 10,000 bytes a second: one message each 100 ms, whatever is waiting.
    const way: string[] = []
    for (let step = 0; step < 600; step++) {
      if (self.now >= nextLive) {
        live += 1
        self.put('t', [live], 1000)
        nextLive += 5000
      }
      const sent = self.run()
      if (sent !== '') way.push(...sent.split(' '))
      self.now += 100
      const next = way.shift()
      if (next !== undefined) {
        if (next.startsWith('b')) backlog += 1000
        self.answer(next)
      }
    }
    expect(backlog / 60).toBeGreaterThan(1_000)
    expect(backlog / 60).toBeLessThanOrEqual(2_700)
  })
})

describe('answers', () => {
  it('0x10: the head alone after 5 s, doubling to 60 s; another stream is not held up', () => {
    const self = bench()
    self.put('e', [1, 2, 3])
    expect(self.run()).toBe('e1')
    self.now = 10
    self.answer('e1', 0x10)
    expect(self.run()).toBe('')
    self.put('t', [1])
    expect(self.run()).toBe('t1')
    self.answer('t1')
    const again: number[] = []
    for (; self.now < 200_000; self.now += 100) {
      const sent = self.run()
      if (sent === '') continue
      expect(sent).toBe('e1')
      again.push(Math.round(self.now / 1000))
      self.answer(sent, 0x10)
    }
    expect(again).toEqual([5, 15, 35, 75, 135, 195])
    expect(self.drain.undeliveredSince()).toBe(10)
    self.now = 255_100
    expect(self.run()).toBe('e1')
    self.now += 10
    self.answer('e1')
    expect(self.drain.undeliveredSince()).toBeNull()
    expect(play(self, 10)).toBe('e2 e3')
  })

  it('0x10 in the middle: what came after it waits behind it, what was taken is not sent again', () => {
    const self = bench()
    self.put('a', [1, 2, 3, 4])
    expect(self.run()).toBe('a1 a2 a3 a4')
    expect(self.answer('a1')).toEqual(['confirm'])
    expect(self.answer('a2', 0x10)).toEqual(['again'])
    expect(self.answer('a3')).toEqual(['confirm']) // somebody listens again
    expect(self.answer('a4', 0x10)).toEqual(['again'])
    self.now = 5_000
    expect(self.run()).toBe('a2')
    self.answer('a2')
    expect(self.run()).toBe('a4')
  })

  it('live data that nobody wanted while young is sent as backlog later', () => {
    const self = bench({ delayMs: 0 })
    self.put('t', [1])
    self.run()
    self.facts = { ...self.facts, oldUpTo: 1 }
    self.now = 10
    self.answer('t1', 0x10)
    self.now = 70_000
    expect(play(self, 300)).toBe('b1')
  })

  it('0x97: nothing goes for a second, then two', () => {
    const self = bench()
    self.put('a', [1, 2])
    self.answer(self.run(), 0x97)
    self.now = 999
    expect(self.run()).toBe('')
    self.now = 1000
    expect(self.run()).toBe('a1 a2')
    self.answer('a1 a2', 0x97)
    self.now = 2999
    expect(self.run()).toBe('')
    self.now = 3000
    expect(self.run()).toBe('a1 a2')
    expect(self.answer('a1 a2')).toEqual(['confirm', 'confirm'])
  })

  it('an unclear refusal is tried five times', () => {
    const self = bench()
    self.put('a', [1])
    const settlements: string[] = []
    for (let time = 0; time < 5; time++) {
      self.now += 60_000
      settlements.push(...self.answer(self.run(), 0x80))
    }
    expect(settlements).toEqual(['again', 'again', 'again', 'again', 'aside'])
  })

  it('after a reconnect everything unacknowledged goes again, in order', () => {
    const self = bench()
    self.put('a', [1, 2, 3])
    self.run()
    self.answer('a2')
    self.drain.lost('other')
    self.drain.connected(self.now, { receiveMax: 65_535 })
    expect(self.run()).toBe('a1 a3')
  })

  it('the batch that kills connections is found, sent alone, and out the fifth time', () => {
    const self = bench()
    self.put('a', range(1, 5))
    const story: string[] = []
    for (let time = 0; time < 5; time++) {
      const sent = self.run()
      story.push(sent)
      if (sent.startsWith('a1')) self.answer('a1')
      const dead = self.drain.lost('peer')
      if (dead !== null) story.push(`aside ${dead.lane}${dead.number}`)
      self.drain.connected(self.now, { receiveMax: 65_535 })
    }
    expect(story).toEqual(['a1 a2 a3 a4 a5', 'a2 a3 a4 a5', 'a2', 'a2', 'a2', 'aside a2'])
    expect(self.run()).toBe('a3 a4 a5') // while it is being set aside
  })

  it('an answer from before the reconnect moves nothing', () => {
    const self = bench()
    self.put('a', [1])
    self.run()
    self.drain.lost('other')
    expect(self.answer('a1')).toEqual(['again'])
  })

  it('batches read before a reconnect are not mixed with those read after it', () => {
    const self = bench()
    self.put('a', [1, 2])
    const [want] = self.drain.wants(0, self.facts)
    self.drain.lost('other')
    self.drain.connected(1, { receiveMax: 65_535 })
    self.drain.offer(want!, [{ lane: 'a', number: 2, samples: 1, payload: new Uint8Array(1) }], 1, {
      hi: 2,
      oldUpTo: 0,
    })
    expect(self.run()).toBe('a1 a2')
  })
})

describe('whatever the broker answers, in whatever order', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), lane: fc.constantFrom('t' as const, 'a' as const, 'e' as const) }),
    fc.record({
      do: fc.constant('answer' as const),
      which: fc.nat(20),
      code: fc.constantFrom(0, 0, 0, 0x10, 0x10, 0x97, 0x80),
    }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 100, 5_000, 61_000) }),
    fc.record({ do: fc.constant('age' as const) }),
    fc.record({ do: fc.constant('lost' as const) }),
  )

  it('every batch is confirmed or set aside in the end, and none is on the way twice', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), fc.boolean(), (steps, late) => {
        const self = bench({ delayMs: 10, bytesPerSecond: 1_000_000 })
        self.late = late
        const flying: string[] = []
        /** Confirmed or set aside. */
        const done = new Set<string>()
        const run = (): void => {
          const sent = self.run()
          for (const name of sent === '' ? [] : sent.split(' ')) {
            const lane = LANE_OF[name.slice(0, 1) as 'a' | 'e' | 't' | 'b']
            const key = lane + name.slice(1)
            expect(flying.map((other) => LANE_OF[other.slice(0, 1) as 'a'] + other.slice(1))).not.toContain(key)
            expect(done.has(key)).toBe(false)
            flying.push(name)
          }
          expect(flying.length).toBeLessThanOrEqual(16)
        }
        const answer = (index: number, code: number): void => {
          const [name] = flying.splice(index, 1)
          if (name === undefined) return
          const settlement = self.answer(name, code)[0]
          if (settlement === 'again') return
          const lane = LANE_OF[name.slice(0, 1) as 'a' | 'e' | 't' | 'b']
          done.add(lane + name.slice(1))
          if (settlement === 'confirm') return
          self.stored[lane].delete(Number(name.slice(1)))
          self.drain.asideDone(lane, Number(name.slice(1)))
        }
        for (const action of steps) {
          if (action.do === 'put') self.put(action.lane, [self.facts.hi[action.lane] + 1])
          else if (action.do === 'answer') answer(action.which % Math.max(1, flying.length), action.code)
          else if (action.do === 'wait') self.now += action.ms
          else if (action.do === 'age') self.facts = { ...self.facts, oldUpTo: self.facts.hi.t }
          else {
            self.drain.lost('other')
            flying.length = 0
            self.drain.connected(self.now, { receiveMax: 65_535 })
          }
          run()
        }
        for (let round = 0; round < 2000 && Object.values(self.stored).some(({ size }) => size > 0); round++) {
          self.now += 1000
          run()
          while (flying.length > 0) answer(0, 0)
        }
        expect(Object.values(self.stored).map(({ size }) => size)).toEqual([0, 0, 0])
      }),
      { numRuns: 200 },
    )
  })
})
