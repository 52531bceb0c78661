/** A data directory that cannot be used: one sentence, and what to do. Nothing hangs, nothing is a bug. */
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openFolder } from '../../src/store/folder.ts'
import { openStore } from '../../src/store/store.ts'
import { fakeClock, storeOptions } from './site.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'gh-folder-'))
})
afterAll(() => rmSync(root, { recursive: true }))

function refusalOf(dir: string): unknown {
  try {
    openFolder(dir)
    return null
  } catch (error) {
    return error
  }
}

describe('openFolder', () => {
  test('makes it with its parents, closed to others, and takes one that is there', () => {
    const dir = join(root, 'a/b/c')
    openFolder(dir)
    openFolder(dir)
    expect(statSync(dir).mode & 0o007).toBe(0)
  })

  test('a file, or a path through one, is not a directory', () => {
    const file = join(root, 'file')
    writeFileSync(file, '')
    for (const dir of [file, join(file, 'below')])
      expect(refusalOf(dir)).toMatchObject({ kind: 'usage', text: { en: `${dir} is not a directory` } })
  })

  test('a name that no file system takes', () => {
    expect(refusalOf(join(root, 'x'.repeat(300)))).toMatchObject({ kind: 'usage', hint: { en: expect.any(String) } })
  })

  // Node's own recursive mkdir goes round here for ever.
  test.runIf(existsSync('/proc/self'))('where the system takes no new names, it says so and ends', () => {
    expect(refusalOf('/proc/gatehouse/data')).toMatchObject({
      kind: 'usage',
      text: { en: expect.stringContaining('takes no new names') },
    })
  })

  test('without permission it names whose it is', () => {
    const isRoot = process.getuid?.() === 0
    // For root nothing is forbidden, so it becomes nobody for a moment.
    if (isRoot) process.seteuid?.(65_534)
    try {
      expect(refusalOf('/root/gatehouse')).toMatchObject({
        kind: 'permission',
        hint: { en: expect.stringMatching(/root/) },
      })
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  })
})

test('a damaged database is said in words with what to do, not as a bug', async () => {
  const dir = join(root, 'damaged')
  openFolder(dir)
  writeFileSync(join(dir, 'state.db'), 'this was never a database, whatever its name says\n'.repeat(100))
  await expect(openStore(storeOptions(dir, fakeClock()))).rejects.toMatchObject({
    kind: 'disk',
    text: { en: expect.stringContaining('damaged'), zh: expect.stringContaining('损坏') },
  })
})
