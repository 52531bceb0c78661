import { expect, test } from 'vitest'
import { certificateFact } from '../../src/control/facts.ts'
import { CERTIFICATE } from '../broker/certificate.ts'

test('a certificate expires when its time is near, and nobody knows while nobody knows the time', () => {
  const ends = Date.parse('2126-10-30T17:49:17Z')
  const day = '2126-10-30T17:49:17.000Z'
  const detail = { en: day, zh: day }
  expect(certificateFact(null, ends)).toEqual({ truth: 'no', detail: null })
  expect(certificateFact(CERTIFICATE, ends - 31 * 86_400_000)).toEqual({ truth: 'no', detail })
  expect(certificateFact(CERTIFICATE, ends - 29 * 86_400_000)).toEqual({ truth: 'yes', detail })
  expect(certificateFact(CERTIFICATE, null)).toEqual({ truth: 'unknown', detail })
})

test('a damaged one is an alarm, not the end of the daemon', () => {
  const damaged = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
  expect(certificateFact(damaged, 0)).toEqual({ truth: 'yes', detail: { en: 'it cannot be read', zh: '无法读取' } })
})
