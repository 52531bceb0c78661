/** The installed library as tests see it. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Findings } from '../../src/driver/finding.ts'
import { openLibrary } from '../../src/driver/load.ts'
import { buildModel, type Model } from '../../src/driver/model.ts'
import { fieldPoints } from '../../src/driver/proof.ts'

export const FOLDER = fileURLToPath(new URL('../../drivers', import.meta.url))

export const NAMES: readonly string[] = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) =>
    readdirSync(join(FOLDER, name))
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => `${name}/${file.slice(0, -5)}`),
  )
  .sort()

const findings = new Findings()
export const LIBRARY = openLibrary([FOLDER], findings)

/** Throws where the loader finds an error: then nothing else about the driver can be judged. */
export function modelOf(name: string): Model {
  const driver = LIBRARY.load(name)
  if (driver === null) throw new Error(`${name} does not load: ${JSON.stringify(findings.sorted())}`)
  return buildModel(driver.data, driver.layers, {}, { vocabulary: LIBRARY.vocabulary, findings })
}

export { fieldPoints }
