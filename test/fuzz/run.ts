/**
 * `npm run fuzz [-- --seed N] [--count 1000000] [--from 0] [--codec NAME] [--json]`: so many mutated inputs through every part of
 * every codec. Each must end, within its time and without throwing, and leave nothing behind. Exit 1 where one does not; the line
 * that is printed then makes the input again. Each part has a thread of its own, which is ended when it hangs or grows.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { parseArgs } from 'node:util'
import { diceOf } from './mutate.ts'
import { TARGETS, type Target } from './targets.ts'

type Job = { readonly name: string; readonly seed: number; readonly from: number; readonly count: number }
type Failure = { readonly index: number; readonly why: string; readonly hex: string }
type Word =
  | { readonly kind: 'at'; readonly index: number }
  | { readonly kind: 'done'; readonly failure: Failure | null; readonly slowestMs: number; readonly grownBytes: number }
type Outcome = { readonly failure: Failure | null; readonly slowestMs: number; readonly grownBytes: number }

/** One input may take so long on a busy machine; a hundredth of it is usual for the worst. */
const INPUT_MS_MAX = 1000
/** The thread says where it is at least so often; silence for longer is a hang. */
const SILENCE_MS_MAX = 30_000
const WORD_EVERY = 500
const HEAP_MB_MAX = 256
/** What remains reachable after all inputs, beyond what remained after the first tenth. */
const GROWN_BYTES_MAX = 8 * 1024 * 1024
const WARM_SHARE = 0.1

if (isMainThread) process.exitCode = await main()
else work(workerData as Job)

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      count: { type: 'string', default: '1000000' },
      from: { type: 'string', default: '0' },
      codec: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
  const count = Number(values.count)
  const from = Number(values.from)
  const wanted = TARGETS.filter(
    ({ codec, name }) => values.codec === undefined || values.codec === codec || values.codec === name,
  )
  if (!Number.isInteger(seed) || !(count > 0) || !Number.isInteger(from) || wanted.length === 0) {
    const known = [...new Set(TARGETS.flatMap(({ codec, name }) => [codec, name]))].join(', ')
    process.stderr.write(`fuzz: --seed, --count and --from take whole numbers, --codec one of: ${known}\n`)
    return 64
  }
  const say = (line: string): void => void (values.json ? null : process.stdout.write(`${line}\n`))
  say(`seed ${seed}, ${count} inputs each, node ${process.version}`)
  const rows: unknown[] = []
  let failed = 0
  for (const { name } of wanted) {
    const began = performance.now()
    const outcome = await runJob({ name, seed, from, count })
    const seconds = (performance.now() - began) / 1000
    const { failure, slowestMs, grownBytes } = outcome
    rows.push({ name, inputs: count, seconds, ...outcome })
    if (failure !== null) failed += 1
    const figures = `${seconds.toFixed(1)} s, slowest ${slowestMs.toFixed(1)} ms, grew ${Math.round(grownBytes / 1024)} KiB`
    say(`${failure === null ? 'ok  ' : 'FAIL'} ${name.padEnd(24)} ${figures}`)
    if (failure === null) continue
    say(`     input ${failure.index}: ${failure.why}`)
    say(`     ${failure.hex}`)
    say(`     npm run fuzz -- --seed ${seed} --codec "${name}" --from ${failure.index} --count 1`)
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ seed, count, targets: rows })}\n`)
  say(
    failed === 0
      ? `all ${wanted.length} hold, seed ${seed}`
      : `${failed} of ${wanted.length} do not hold, seed ${seed}`,
  )
  return failed === 0 ? 0 : 1
}

function runJob(job: Job): Promise<Outcome> {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  })
  let index = job.from
  return new Promise((resolve) => {
    let watch = setTimeout(hung, SILENCE_MS_MAX)
    function end(outcome: Outcome): void {
      clearTimeout(watch)
      resolve(outcome)
      void worker.terminate()
    }
    function broken(why: string): void {
      const last = Math.min(index + WORD_EVERY, job.from + job.count)
      const failure = { index, why: `${why}; it is one of the inputs ${index} to ${last - 1}`, hex: '' }
      end({ failure, slowestMs: Number.NaN, grownBytes: Number.NaN })
    }
    function hung(): void {
      broken(`nothing for ${SILENCE_MS_MAX / 1000} s`)
    }
    worker.on('message', (word: Word) => {
      clearTimeout(watch)
      if (word.kind === 'done') return end(word)
      index = word.index
      watch = setTimeout(hung, SILENCE_MS_MAX)
    })
    worker.once('error', (error) => broken(String(error)))
    worker.once('exit', (code) => broken(`the thread ended with ${code}`))
  })
}

function work({ name, seed, from, count }: Job): void {
  const target = TARGETS.find((one) => one.name === name)
  if (target === undefined) throw new RangeError(`no target ${name}`)
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const reachable = (): number => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const warm = from + Math.ceil(count * WARM_SHARE)
  let base = reachable()
  let slowestMs = 0
  let failure: Failure | null = null
  for (let index = from; index < from + count && failure === null; index++) {
    if (index === warm) base = reachable()
    if (index % WORD_EVERY === 0) parentPort?.postMessage({ kind: 'at', index } satisfies Word)
    const began = performance.now()
    failure = tryInput(target, { seed, index })
    const took = performance.now() - began
    slowestMs = Math.max(slowestMs, took)
    if (failure === null && took > INPUT_MS_MAX) failure = again(target, { seed, index })
  }
  const grownBytes = reachable() - base
  if (failure === null && grownBytes > GROWN_BYTES_MAX)
    failure = failed(target, from + count - 1, `${grownBytes} bytes more are reachable than after the first tenth`)
  parentPort?.postMessage({ kind: 'done', failure, slowestMs, grownBytes } satisfies Word)
}

/** The machine may have been elsewhere meanwhile: only an input that is slow every time is slow. */
function again(target: Target, input: { seed: number; index: number }): Failure | null {
  for (let attempt = 0; attempt < 3; attempt++) {
    const began = performance.now()
    const failure = tryInput(target, input)
    if (failure !== null || performance.now() - began <= INPUT_MS_MAX) return failure
  }
  return failed(target, input.index, `it takes more than ${INPUT_MS_MAX} ms`)
}

function tryInput(target: Target, { seed, index }: { seed: number; index: number }): Failure | null {
  try {
    target.run(diceOf(seed, target.name, index))
    return null
  } catch (error) {
    // Whatever it is: that it came is the finding.
    return failed(target, index, error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
}

function failed(target: Target, index: number, why: string): Failure {
  return { index, why, hex: Buffer.from(target.last()).toString('hex') }
}
