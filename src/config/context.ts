/** What all steps of resolving one site share. */
import type { Document } from '../driver/document.ts'
import type { Findings } from '../driver/finding.ts'
import type { Library } from '../driver/load.ts'
import type { SiteFile } from './schema.ts'
import type { SecretFolders } from './secrets.ts'

export type Context = {
  readonly file: SiteFile
  /** Paths that had findings and were taken out: nothing more is said of their absence. */
  readonly pruned: ReadonlySet<string>
  /** Devices without a usable driver: what names them is not blamed for it. Filled while devices are resolved. */
  readonly unusable: Set<string>
  readonly document: Document
  /** Folder of the site file, and how findings name files in it (empty: nothing before the name). */
  readonly folder: string
  readonly shownFolder: string
  readonly library: Library
  readonly findings: Findings
  readonly secrets: SecretFolders
  /** Literal secrets and unencrypted uplinks are allowed. */
  readonly lab: boolean
}
