import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { parseBytes } from '../../src/driver/document.ts'
import { Findings, findingText } from '../../src/driver/finding.ts'

function read(text: string | Uint8Array) {
  const findings = new Findings()
  const document = parseBytes(typeof text === 'string' ? new TextEncoder().encode(text) : text, 'f.yaml', findings)
  return { document, lines: findings.sorted().map((finding) => findingText(finding, 'en')) }
}

describe('places', () => {
  test('of values, keys, missing values and places inside an expression', () => {
    const { document } = read('a:\n  b: {c: 1, 0: x}\n  when: "!p && q"\nlist:\n  - one\n  - {k: v}\n')
    expect(document?.at(['a', 'b', 'c'])).toEqual({ file: 'f.yaml', line: 2, col: 10 })
    expect(document?.keyAt(['a', 'b', 'c'])).toMatchObject({ line: 2, col: 7 })
    expect(document?.at(['a', 'b', '0'])).toMatchObject({ line: 2, col: 16 })
    expect(document?.at(['a', 'b', 'missing', 'deeper'])).toMatchObject({ line: 2, col: 6 })
    expect(document?.at(['list', 1, 'k'])).toMatchObject({ line: 6, col: 9 })
    expect(document?.inside(['a', 'when'], 1, 7)).toMatchObject({ line: 3, col: 16 })
    expect(document?.written(['a', 'b', 'c'])).toBe('1')
  })

  test('through an alias, and behind a byte order mark', () => {
    const { document } = read('\ufeffbase: &x {k: 1}\nother: *x\n')
    expect(document?.data).toEqual({ base: { k: 1 }, other: { k: 1 } })
    expect(document?.at(['other', 'k'])).toMatchObject({ line: 1, col: 14 })
  })
})

describe('refused with one clear line', () => {
  const bomb = `a: &a [${Array(9).fill('x').join(',')}]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
    .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[index]}`).join(',')}]`)
    .join('\n')}\n`
  test.each<[string, string | Uint8Array, RegExp]>([
    ['empty', '', /^f\.yaml:1:1 is empty: write at least/],
    ['only comments', '# nothing\n', /^f\.yaml:1:1 is empty/],
    [
      'binary',
      new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1]),
      /^f\.yaml:1:1 is not a text file: it has a zero byte at offset 4$/,
    ],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 0x61, 0x00]), /is UTF-16: save it as UTF-8$/],
    ['GBK', new Uint8Array([0x61, 0x3a, 0x20, 0xd6, 0xd0, 0xce, 0xc4]), /is GBK, not UTF-8/],
    ['broken bytes', new Uint8Array([0x61, 0xff]), /is not UTF-8 text$/],
    ['a tab', 'a:\n\tb: 1\n', /^f\.yaml:2:1 a tab indents here: YAML wants spaces$/],
    ['a key twice', 'a: 1\nb: 2\na: 3\n', /^f\.yaml:3:1 a is written twice here: keep one$/],
    ['an alias bomb', bomb, /^f\.yaml:1:1 its aliases .* multiply to more than 100 copies/],
    ['an unknown alias', 'a: *b\n', /^f\.yaml:1:4 this alias/],
    ['__proto__', 'a: {__proto__: {x: 1}}\n', /^f\.yaml:1:5 __proto__ cannot be a key$/],
    ['a key that is a list', '? [a]\n: 1\n', /^f\.yaml:1:3 a key must be a plain word$/],
    ['two documents', 'a: 1\n---\nb: 2\n', /^f\.yaml:2:1 a second document begins here/],
    ['endless nesting', '['.repeat(20_000), /is nested far too deep$/],
    ['a colon', 'a: b: c\n', /^f\.yaml:1:4 this value holds a colon and a space: quote it$/],
    ['an @', 'a: @b\n', /^f\.yaml:1:4 a value cannot begin with @: quote it$/],
    ['an open quote', 'a: "b\n', /Missing closing "quote: add it$/],
    ['an open brace', 'a: {b: 1\n', /^f\.yaml:2:1 a { or \[ that was opened above is not closed/],
    ['!a.b', 'when: !a.b\n', /^f\.yaml:1:7 a value that begins with ! must be quoted/],
    ['!a && b', 'when: !a && b\n', /^f\.yaml:1:7 a value that begins with ! must be quoted/],
    ['!a || b', 'x: 1\nwhen: !a.b || c\n', /^f\.yaml:2:7 a value that begins with ! must be quoted/],
    ['!a && !b', 'when: !a.b && !c.d\n', /^f\.yaml:1:7 a value that begins with ! must be quoted/],
    ['!(a)', 'when: !(a.b && c)\n', /^f\.yaml:1:7 a value that begins with ! must be quoted/],
    ['! a', 'when: ! a.b\n', /a value that begins with ! must be quoted/],
  ])('%s', (_name, text, line) => {
    const { lines } = read(text)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(line)
  })

  test('nothing from outside reaches a prototype', () => {
    read('__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 1}}\n')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('no bytes ever throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void read(bytes)))
    const pieces = fc.constantFrom(
      'a',
      ': ',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '!',
      '&x ',
      '*x',
      '|',
      '>',
      '#',
      ',',
      '\t',
      '%',
    )
    fc.assert(fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => void read(parts.join(''))))
  })
})
