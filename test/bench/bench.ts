/**
 * `npm run bench [-- --json] [--bundle] [--seconds 20] [--only NAME,NAME]`: figures of the real daemon over real sockets on this machine.
 * `--bundle` runs what is installed on a box (built into a folder of its own), else the source is run as it is.
 * BENCH_DIR names a folder on a quiet disk: all writers of its device count. Compare lines of one run; machines differ.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { installBundle, sourceProgram } from './program.ts'
import { type Figure, SCENARIOS } from './scenarios.ts'

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    bundle: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '20' },
    only: { type: 'string' },
  },
})
const seconds = Number(options.seconds)
const wanted = options.only?.split(',') ?? Object.keys(SCENARIOS)
const unknown = wanted.filter((name) => SCENARIOS[name] === undefined)
if (unknown.length > 0 || !(seconds > 0)) {
  process.stderr.write(`bench: --seconds takes a number, --only of: ${Object.keys(SCENARIOS).join(', ')}\n`)
  process.exit(64)
}

const figures: Figure[] = []
function say(figure: Figure): void {
  const rounded = { ...figure, value: Number(figure.value.toPrecision(4)) }
  figures.push(rounded)
  if (options.json) return
  const note = figure.note === undefined ? '' : `   (${figure.note})`
  process.stdout.write(`${figure.name.padEnd(62)} ${String(rounded.value).padStart(9)} ${figure.unit}${note}\n`)
}

const program = options.bundle ? installBundle(process.env['BENCH_DIR']) : sourceProgram()
try {
  if (!options.json)
    process.stdout.write(`node ${process.version}, ${program.kind}, ${cpus().length} cores, ${seconds} s each\n`)
  for (const name of wanted) await SCENARIOS[name]?.({ program, seconds, say })
  if (options.json)
    process.stdout.write(`${JSON.stringify({ node: process.version, program: program.kind, seconds, figures })}\n`)
} finally {
  program.remove()
}
