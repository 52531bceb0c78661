/** What a request lacks, in words: the checker's own sentences are English and speak of types. */
import type { z } from 'zod'
import type { Text } from '../model/point.ts'

type Issue = z.core.$ZodIssue

export function issueText(issue: Issue | undefined): Text {
  const where = issue === undefined || issue.path.length === 0 ? null : issue.path.join('.')
  const what = issue === undefined ? UNCLEAR : wordsOf(issue)
  return where === null
    ? { en: `the request ${what.en}`, zh: `请求${what.zh}` }
    : { en: `${where} ${what.en}`, zh: `${where} ${what.zh}` }
}

const UNCLEAR: Text = { en: 'is not understood', zh: '无法理解' }

function wordsOf(issue: Issue): Text {
  switch (issue.code) {
    case 'too_small':
      if (issue.origin === 'string' && Number(issue.minimum) <= 1) return { en: 'is empty', zh: '为空' }
      return bound(issue.origin, { en: 'at least', zh: '至少' }, issue.minimum)
    case 'too_big':
      return bound(issue.origin, { en: 'at most', zh: '最多' }, issue.maximum)
    case 'invalid_type':
      return { en: `must be: ${issue.expected}`, zh: `类型应为 ${issue.expected}` }
    case 'unrecognized_keys':
      return { en: `does not know: ${issue.keys.join(', ')}`, zh: `中有未知的键：${issue.keys.join('、')}` }
    default:
      return UNCLEAR
  }
}

function bound(origin: string, word: Text, limit: number | bigint): Text {
  if (origin === 'string') return { en: `has ${word.en} ${limit} characters`, zh: `${word.zh} ${limit} 个字符` }
  if (origin === 'array') return { en: `holds ${word.en} ${limit} at once`, zh: `一次${word.zh} ${limit} 个` }
  return { en: `is ${word.en} ${limit}`, zh: `${word.zh}为 ${limit}` }
}
