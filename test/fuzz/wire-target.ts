/** The exchange itself, fed by the dice: questions, answers, noise, texts and silence in any order, several protocols on one wire. */
import { Wire } from '../../src/bus/exchange.ts'
import { createCounts, type Exchange, type Outcome } from '../../src/bus/flight.ts'
import { Strangers } from '../../src/bus/overhear.ts'
import { Texts } from '../../src/bus/texts.ts'
import type { Address, Line } from '../../src/model/site.ts'
import type { Block, Framing, Question } from '../../src/protocols/protocol.ts'
import { LIMITS } from '../protocols/make.ts'
import { mutate, pick, randomBytes, type Roll } from './mutate.ts'

/** Who may speak on the wire, and what of. */
export type Voice = {
  readonly framing: Framing
  readonly blocks: readonly Block[]
  readonly addresses: readonly Address[]
  readonly seeds: readonly Uint8Array[]
}

export type WireTarget = { readonly run: (roll: Roll) => void; readonly last: () => Uint8Array }

const LINE: Line = { baud: 9600, dataBits: 8, parity: 'N', stopBits: 1 }
const TEXTS = ['REG:0001', 'heartbeat\r\n', 'SYIT07-DTU3', 'ping', 'HTTP/1.1 400 Bad Request\r\n\r\n'].map((text) =>
  new TextEncoder().encode(text),
)
const STEPS_MAX = 24
/** The longest that anything may be put off, and be awaited: a slow line's longest frame, timeout, silence. */
const WAIT_MAX = 10_000
const PARTS_MAX = 64
const SPEAKERS_MAX = 32
const TEXTS_KEPT_MAX = 8

export function wireTarget(
  voices: readonly Voice[],
  {
    hold,
    answerLike,
  }: { hold: (truth: boolean, what: string) => void; answerLike: (question: Question, roll: Roll) => Question },
): WireTarget {
  const correlating = voices.filter(({ framing }) => framing.correlates)
  const plain = voices.filter(({ framing }) => !framing.correlates)
  let fed: Uint8Array[] = []

  function run(roll: Roll): void {
    fed = []
    const heard = roll(4) === 0 ? [pick(roll, correlating)] : [pick(roll, plain), pick(roll, plain)]
    const seeds = heard.flatMap((voice) => voice.seeds)
    const framings = [...new Set(heard.map(({ framing }) => framing))]
    const [strangers, texts] = [new Strangers(), new Texts()]
    const open = new Set<Exchange>()
    let now = roll(1000)
    let sent = 0
    let desynchronised = false
    const wire = new Wire({
      framings,
      flightsMax: 1 + roll(4),
      counts: createCounts(),
      strangers,
      texts: roll(2) === 0 ? texts : null,
      write: () => void (sent += 1),
      desynchronised: () => void (desynchronised = true),
      firstTransaction: roll(0x1_0000),
      now,
    })
    const asked: Exchange[] = []

    function exchange(): Exchange {
      const { framing, blocks, addresses } = pick(roll, heard)
      const question = pick(roll, blocks).ask(pick(roll, addresses))
      const own: Exchange = {
        question: roll(4) === 0 ? { ...question, writes: true } : question,
        framing,
        limits: { ...LIMITS, echo: roll(8) === 0, timeoutMs: 50 + roll(500), guardMs: roll(20) },
        line: roll(4) === 0 ? null : LINE,
        slowestMs: () => roll(10_000),
        settled: (outcome) => settled(own, outcome),
        late: () => roll(2) === 0,
      }
      asked.push(own)
      return own
    }

    function settled(own: Exchange, outcome: Outcome): void {
      hold(open.delete(own), 'an exchange ends twice')
      hold(outcome.ms >= 0 && outcome.tookMs >= outcome.ms, `it took ${outcome.ms} of ${outcome.tookMs} ms`)
      if (outcome.kind !== 'answer') return
      hold(outcome.bodies.length <= PARTS_MAX, `${outcome.bodies.length} parts`)
      hold(
        outcome.bodies.every(({ length }) => length <= own.framing.frameMax),
        'a body longer than a frame',
      )
    }

    function feed(bytes: Uint8Array): void {
      fed.push(bytes)
      const before = sent
      for (let at = 0; at < bytes.length; ) {
        const length = roll(3) === 0 ? bytes.length : 1 + roll(40)
        wire.receive(bytes.subarray(at, at + length), now)
        at += length
        if (roll(4) === 0) now += roll(30)
      }
      hold(sent === before, 'what comes in makes it send')
    }

    for (let step = 1 + roll(STEPS_MAX); step > 0 && !desynchronised; step--) {
      const what = roll(8)
      const [last] = asked.slice(-1)
      if (what < 3 && wire.hasRoom()) {
        const own = exchange()
        const readyAt = wire.readyAt(own, now)
        hold(readyAt >= now && readyAt - now <= WAIT_MAX, `put off by ${readyAt - now} ms`)
        if (roll(3) > 0) now = Math.max(now, readyAt)
        open.add(own)
        wire.send(own, now)
        hold(wire.wakeAt() - now <= WAIT_MAX, `awaited for ${wire.wakeAt() - now} ms`)
      } else if (what === 3 && last !== undefined)
        feed(last.framing.frame(answerLike(last.question, roll), roll(0x1_0000)))
      else if (what === 4) feed(pick(roll, TEXTS))
      else if (what === 5) feed(randomBytes(roll, roll(64)))
      else if (what === 6) {
        now = Math.max(now, roll(2) === 0 ? Math.min(wire.wakeAt(), now + WAIT_MAX) : now + roll(300))
        wire.step(now)
      } else feed(mutate(roll, seeds))
    }
    wire.end({ kind: 'closed' }, now)
    hold(open.size === 0, `${open.size} exchanges never end`)
    hold(strangers.list().length <= SPEAKERS_MAX, 'more speakers than are kept')
    hold(texts.list().length <= TEXTS_KEPT_MAX, 'more texts than are kept')
  }

  return { run, last: () => Uint8Array.from(fed.flatMap((bytes) => [...bytes])) }
}
