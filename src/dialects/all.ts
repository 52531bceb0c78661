/** Every dialect, by the name that a site file gives it. */
import type { UplinkSettings } from '../model/site.ts'
import type { Dialect } from './dialect.ts'
import { native } from './native/index.ts'

export const DIALECTS: Readonly<Record<UplinkSettings['dialect'], Dialect>> = { native }
