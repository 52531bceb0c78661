/** Folders of files that go away with the tests of a file. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { type Checked, checkSite } from '../../src/config/check.ts'

export const LIBRARY = fileURLToPath(new URL('../../drivers', import.meta.url))

export type Files = Readonly<Record<string, string | Uint8Array>>

const made: string[] = []
afterAll(() => {
  for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true })
})

/** Paths under `secrets/` get mode 0600. */
export function folder(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  made.push(root)
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    if (name.startsWith('secrets/')) chmodSync(path, 0o600)
  }
  return root
}

/** Checks `site.yaml` among these files. */
export function check(files: Files): Checked & { readonly lines: readonly string[] } {
  const root = folder(files)
  const checked = checkSite(join(root, 'site.yaml'), { libraries: [LIBRARY], credentials: null })
  const lines = checked.findings.map(
    ({ file, line, col, message }) => `${file.slice(root.length + 1)}:${line}:${col} ${message.en}`,
  )
  return { ...checked, lines }
}

/** As `check`, for a site without findings. */
export function siteOf(files: Files) {
  const { site, lines } = check(files)
  if (site === null) throw new Error(lines.join('\n'))
  return site
}
