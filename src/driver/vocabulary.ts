/** `drivers/vocabulary.yaml`: per category the standard point names with unit, words and Brick class. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { Text } from '../model/point.ts'
import { readDocument } from './document.ts'
import type { Findings } from './finding.ts'
import { parseShape } from './issues.ts'
import { CATEGORIES } from './schema.ts'
import { bothLanguages, id, label, text } from './shapes.ts'

export type VocabularyName = { readonly unit: string | null; readonly title: Text; readonly brick: string | null }
/** By category, then by name. */
export type Vocabulary = ReadonlyMap<string, ReadonlyMap<string, VocabularyName>>

const vocabularySchema = z.partialRecord(
  z.enum(CATEGORIES),
  z.record(id, z.strictObject({ unit: label.optional(), title: text, brick: label.optional() })),
)

/** The vocabulary of the first folder that has one; empty where none has. */
export function readVocabulary(folders: readonly string[], findings: Findings): Vocabulary {
  for (const folder of folders) {
    const file = join(folder, 'vocabulary.yaml')
    if (!existsSync(file)) continue
    const document = readDocument(file, file, findings)
    const data = document === null ? null : parseShape(vocabularySchema, document.data, document, findings)
    if (data === null) return new Map()
    return new Map(
      Object.entries(data).map(([category, names]) => [
        category,
        new Map(
          Object.entries(names).map(([name, entry]) => [
            name,
            { unit: entry.unit ?? null, title: bothLanguages(entry.title), brick: entry.brick ?? null },
          ]),
        ),
      ]),
    )
  }
  return new Map()
}
