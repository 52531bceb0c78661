/**
 * The program under test: the source as it is, or the bundle in a folder laid out as on a box. The bundle is built outside the
 * working tree, so that nobody's `bin/gatehouse` picks it up by accident.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export type Program = {
  readonly kind: 'source' | 'bundle'
  /** What to start, before the arguments. */
  readonly command: readonly [string, ...string[]]
  readonly remove: () => void
}

export function sourceProgram(): Program {
  if (existsSync(join(ROOT, 'dist/main.js')))
    throw new Error('there is a dist/: bin/gatehouse would run it. Remove it, or bench with --bundle')
  return { kind: 'source', command: ['sh', join(ROOT, 'bin/gatehouse')], remove: () => undefined }
}

/** What `npm run bundle` makes, with what an installed copy has beside it. */
export function installBundle(parent: string = tmpdir()): Program {
  const root = mkdtempSync(join(parent, 'gatehouse-installed-'))
  mkdirSync(join(root, 'bin'))
  for (const file of ['package.json', 'bin/gatehouse', 'bin/node']) copyFileSync(join(ROOT, file), join(root, file))
  for (const folder of ['node_modules', 'drivers', 'config']) symlinkSync(join(ROOT, folder), join(root, folder))
  execFileSync('npm', ['run', '--silent', 'bundle', '--', `--outdir=${join(root, 'dist')}`], { cwd: ROOT })
  return {
    kind: 'bundle',
    command: ['sh', join(root, 'bin/gatehouse')],
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}
