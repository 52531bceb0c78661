/** Conventions that matter, read from our own source. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SRC = join(ROOT, 'src')

const ROOMS = (
  'model runtime bytes transport protocols image derive alarm driver config store bus broker dialects uplink control ' +
  'web cli simulate'
).split(' ')
const PURE = 'model bytes protocols image derive alarm dialects'.split(' ')

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(SRC, name))

/** Code without comments and texts, so that words in them do not count. */
function bare(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"])\/\/.*$/gm, '$1')
}

const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))

function importsOf(source: string): string[] {
  return [...bare(source).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '')
}

function room(file: string): string {
  const [first = ''] = relative(SRC, file).split('/')
  return first
}

describe('rooms', () => {
  test('every folder of src is a room of the plan', () => {
    const folders = new Set(files.map(room).filter((name) => !name.endsWith('.ts')))
    expect([...folders].filter((name) => !ROOMS.includes(name))).toEqual([])
  })

  test('a file imports from its own room or from a room above it', () => {
    const wrong: string[] = []
    for (const [file, source] of sources) {
      const own = ROOMS.indexOf(room(file))
      if (own < 0) continue
      for (const target of importsOf(source).filter((name) => name.startsWith('.'))) {
        const to = relative(SRC, resolve(dirname(file), target)).split('/')[0] ?? ''
        const other = ROOMS.indexOf(to)
        if (other < 0 || other > own) wrong.push(`${relative(ROOT, file)} imports ${target}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('pure rooms hold no await, no timer, no node: import, no clock read', () => {
    const wrong: string[] = []
    for (const [file, source] of sources) {
      if (!PURE.includes(room(file))) continue
      const code = bare(source)
      for (const word of [
        /\bawait\b/,
        /\bsetTimeout\b/,
        /\bsetInterval\b/,
        /\bDate\.now\b/,
        /\bperformance\.now\b/,
        /'node:/,
        /\bMath\.random\b/,
      ]) {
        if (word.test(code)) wrong.push(`${relative(ROOT, file)} has ${word.source}`)
      }
    }
    expect(wrong).toEqual([])
  })
})

describe('files', () => {
  test('none is dead: each is imported by another, or is an entry', () => {
    const entries = new Set(['main.ts', 'store/writer.ts', 'store/reader.ts'].map((name) => join(SRC, name)))
    const used = new Set<string>()
    for (const [file, source] of sources) {
      for (const target of importsOf(source)) if (target.startsWith('.')) used.add(resolve(dirname(file), target))
    }
    const dead = files.filter((file) => !used.has(file) && !entries.has(file)).map((file) => relative(ROOT, file))
    expect(dead).toEqual([])
  })

  test('none is so long that it must have two jobs', () => {
    const long = [...sources].filter(([, source]) => source.split('\n').length > 420)
    expect(long.map(([file]) => relative(ROOT, file))).toEqual([])
  })

  test('no silenced checker, no any, no disabled verification of certificates', () => {
    const wrong: string[] = []
    const banned = [
      /@ts-(ignore|expect-error|nocheck)/,
      /(oxlint|eslint|biome)-(disable|ignore)/,
      /\bas any\b|: any\b/,
      /rejectUnauthorized:\s*false/,
      /catch\s*(\([^)]*\))?\s*\{\s*\}/,
      /\beval\(|new Function\(/,
    ]
    for (const [file, source] of sources) {
      for (const word of banned) if (word.test(bare(source))) wrong.push(`${relative(ROOT, file)} has ${word.source}`)
    }
    expect(wrong).toEqual([])
  })
})

test('the two READMEs name the same commands', () => {
  const commands = (name: string): string[] =>
    [...readFileSync(join(ROOT, name), 'utf8').matchAll(/`((?:npm|npx gatehouse|gatehouse) [^`]+)`/g)]
      .map((match) => match[1] ?? '')
      .sort()
  expect(new Set(commands('README.zh-CN.md'))).toEqual(new Set(commands('README.md')))
})
