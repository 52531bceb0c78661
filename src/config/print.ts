/** The JSON Schemas of site file and driver, for editors: printed from the schemas that the files are parsed with. */
import { z } from 'zod'
import { driverSchema } from '../driver/schema.ts'
import { siteSchema } from './schema.ts'

/** File name in `config/` to its text. A test holds the files to it. */
export function printSchemas(): Readonly<Record<'site.schema.json' | 'driver.schema.json', string>> {
  return {
    'site.schema.json': print(siteSchema, 'Gatehouse site file (site.yaml)'),
    'driver.schema.json': print(driverSchema, 'Gatehouse driver (drivers/<category>/<model>.yaml)'),
  }
}

function print(schema: z.ZodType, title: string): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', reused: 'inline' })
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`
}
