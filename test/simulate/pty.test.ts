import { afterEach, expect, test } from 'vitest'
import { openPty } from '../../src/simulate/pty.ts'

const { PATH } = process.env
afterEach(() => {
  process.env['PATH'] = PATH
})

test('without socat it is said what to install, not that there is a bug', async () => {
  process.env['PATH'] = '/nonexistent'
  await expect(openPty('/tmp/gatehouse-no-pty', 1, () => undefined)).rejects.toMatchObject({
    kind: 'unreachable',
    text: { en: expect.stringContaining('socat') },
    hint: { en: 'apt install socat' },
  })
})
