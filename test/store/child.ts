/** A store that commits as fast as it can until somebody kills it. Says on stdout what was settled and what was offered to the cloud. */
import { writeSync } from 'node:fs'
import { pino } from 'pino'
import { openStore } from '../../src/store/store.ts'
import { makePoints, SETTINGS } from './settings.ts'

const [dir = '', first = '0', offset = '0'] = process.argv.slice(2)
const say = (...words: readonly (string | number)[]): void => void writeSync(1, `${words.join(' ')}\n`)

const now = () => ({ mono: performance.now(), offsetMs: Number(offset), quality: 1 as const, errorMs: null })
const store = await openStore({
  dir,
  settings: { ...SETTINGS, cut: { everyMs: 40, samples: 50, bytes: 49_152 } },
  points: makePoints(3, 4),
  devices: [{ id: 'd0' }, { id: 'd1' }, { id: 'd2' }],
  catalogueSha: 'abc',
  clock: {
    mono: () => performance.now(),
    now,
    utc: () => Number(offset),
    floorMs: () => 0,
    raiseFloor: () => undefined,
  },
  log: pino({ level: 'silent' }),
  uplinks: ['cloud'],
  timezone: 'UTC',
})
const outbox = store.outbox('cloud')
const offered = { t: 0, a: 0, e: 0 }
store.onCut(() => {
  for (const lane of ['t', 'a', 'e'] as const) {
    void outbox.next(lane, offered[lane], { max: 50, bytesMax: 1_000_000 }).then((batches) => {
      for (const { number, id } of batches) {
        say('offered', lane, number, id)
        offered[lane] = Math.max(offered[lane], number)
      }
    })
  }
})
say('open', store.identity.epoch, store.identity.boot)
let n = Number(first)
const round = (): void => {
  const value = ++n
  store.commit({
    time: now(),
    reports: [{ point: value % 12, mono: performance.now(), quality: 'good', value }],
    items: value % 3 === 0 ? [{ lane: value % 2 === 0 ? 'a' : 'e', body: { n: value } }] : [],
    states: [['last', String(value)]],
    urgent: value % 3 === 0,
    settled: (error) => say(error === null ? 'settled' : 'failed', value),
  })
}
setInterval(() => {
  for (let burst = 0; burst < 5; burst++) round()
}, 4)
