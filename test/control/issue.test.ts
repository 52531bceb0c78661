import { describe, expect, test } from 'vitest'
import { issueText } from '../../src/control/issue.ts'

describe('a request that its schema refuses is said without the words of the checker', () => {
  test.each([
    [[{ code: 'too_small', origin: 'string', minimum: 1, path: ['pattern'] }], 'pattern is empty', 'pattern 为空'],
    [
      [{ code: 'too_big', origin: 'array', maximum: 100, path: ['points'] }],
      'points holds at most 100 at once',
      'points 一次最多 100 个',
    ],
    [
      [{ code: 'too_big', origin: 'string', maximum: 64, path: ['bus'] }],
      'bus has at most 64 characters',
      'bus 最多 64 个字符',
    ],
    [[{ code: 'too_small', origin: 'number', minimum: 5, path: ['n'] }], 'n is at least 5', 'n 至少为 5'],
    [[{ code: 'unrecognized_keys', keys: ['a'], path: [] }], 'the request does not know: a', '请求中有未知的键：a'],
    [[{ code: 'invalid_type', expected: 'string', path: ['point'] }], 'point must be: string', 'point 类型应为 string'],
    [[], 'the request is not understood', '请求无法理解'],
  ])('%j', ([issue], en, zh) => {
    expect(
      issueText(issue === undefined ? undefined : ({ message: '', ...issue } as Parameters<typeof issueText>[0])),
    ).toEqual({ en, zh })
  })
})
