import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commit, fakeClock, good, LIMITS, open, temporaryDir } from './site.ts'

type Step =
  | { readonly do: 'telemetry'; readonly values: readonly number[] }
  | { readonly do: 'item'; readonly lane: 'a' | 'e' }
  | { readonly do: 'cut' }
  | { readonly do: 'confirm'; readonly lane: 't' | 'a' | 'e'; readonly which: number }
  | { readonly do: 'restart' }

const lane = fc.constantFrom('t' as const, 'a' as const, 'e' as const)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.integer({ min: -99, max: 99 }), { minLength: 1, maxLength: 12 })
      .map((values): Step => ({ do: 'telemetry', values })),
  },
  { weight: 4, arbitrary: fc.constantFrom('a' as const, 'e' as const).map((lane): Step => ({ do: 'item', lane })) },
  { weight: 3, arbitrary: fc.constant<Step>({ do: 'cut' }) },
  {
    weight: 5,
    arbitrary: fc.record({ lane, which: fc.nat(20) }).map((record): Step => ({ do: 'confirm', ...record })),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'restart' }) },
)

/** All samples of a content, in order of time. */
function valuesOf(content: string): number[] {
  const entries: { t: number[]; p: Record<string, (number | null)[]> }[] = JSON.parse(content)
  return entries
    .flatMap(({ t, p }) =>
      Object.values(p).flatMap((values) => values.map((value, at) => [t[at] ?? 0, value] as const)),
    )
    .filter(([, value]) => value !== null)
    .sort(([a], [b]) => a - b)
    .map(([, value]) => Number(value))
}

test('the outbox agrees with an array under random append, cut, confirm and restart', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const dir = temporaryDir()
      const clock = fakeClock()
      let store = await open(dir, clock)
      const model = { t: [] as string[], a: [] as string[], e: [] as string[] }
      const confirmed = { t: new Set<number>(), a: new Set<number>(), e: new Set<number>() }
      let open_: number[] = []
      let items = 0
      const cut = async (): Promise<void> => {
        await store.cutNow()
        if (open_.length > 0) model.t.push(open_.join())
        open_ = []
      }
      for (const action of steps) {
        clock.step(1)
        if (action.do === 'telemetry') {
          const mono = clock.mono()
          await commit(store, clock, { reports: action.values.map((value, point) => good(point, mono, value)) })
          open_.push(...action.values)
        } else if (action.do === 'item') {
          items++
          await commit(store, clock, { items: [{ lane: action.lane, body: { n: items } }] })
          model[action.lane].push(`[{"n":${items}}]`)
        } else if (action.do === 'cut') await cut()
        else if (action.do === 'confirm') {
          const number = 1 + (action.which % Math.max(1, model[action.lane].length))
          if (model[action.lane].length === 0) continue
          store.outbox('cloud').confirm(action.lane, number)
          confirmed[action.lane].add(number)
        } else {
          await cut()
          await store.close()
          store = await open(dir, clock)
        }
        for (const each of ['t', 'a', 'e'] as const) {
          const outbox = store.outbox('cloud')
          const batches = await outbox.next(each, 0, LIMITS)
          const expected = model[each]
            .map((text, at) => [at + 1, text] as const)
            .filter(([number]) => !confirmed[each].has(number))
          expect(
            batches.map(({ number, content }) => [number, each === 't' ? valuesOf(content).join() : content]),
          ).toEqual(expected)
          let ack = 0
          while (confirmed[each].has(ack + 1)) ack++
          expect(outbox.position(each)).toEqual({
            hi: model[each].length,
            ack,
            lo: ack + 1,
            kept: 1,
            waiting: expected.length,
          })
        }
      }
      await store.close()
    }),
    { numRuns: 6 },
  )
}, 20_000)
