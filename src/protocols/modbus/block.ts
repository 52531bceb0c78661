/** One read request with the points that it serves: how to ask and how to read them. */
import type { ModbusTable, SunspecModel } from '../../model/point.ts'
import type { Address, Block, Question } from '../protocol.ts'
import type { Part } from './extract.ts'
import { ask, createRead, type Request } from './read.ts'
import { type Models, walk } from './sunspec.ts'

/** Registers or bits that lie in a row. */
export type Extent = { readonly start: number; readonly count: number }
export type ModbusBlock = Block & Extent & { readonly table: ModbusTable; readonly apart?: readonly Part[] }

export function keyOf(table: ModbusTable, { start, count }: Extent, model?: SunspecModel): string {
  return model === undefined ? `${table} ${start}+${count}` : `model ${model.id} ${start}+${count}`
}

/** On a serial line: request, and the frame around what it is answered with. */
const FRAME_BYTES = 8 + 5

function followsOf(apart: readonly Part[]): { questions: number; bytes: number } {
  const bytes = apart.reduce((sum, { count }) => sum + FRAME_BYTES + 2 * count, 0)
  return { questions: apart.length, bytes }
}

export function blockOf(
  request: Omit<Request, 'models'> & { readonly everyMs: number },
  /** Of this device: what one block found, the others need not look for. */
  models: Models = new Map(),
): ModbusBlock {
  const key = keyOf(request.table, request, request.model)
  const { model } = request
  const read = createRead(key, { ...request, models })
  const { apart } = request
  return {
    ...request,
    key,
    ...(apart === undefined ? {} : { follows: followsOf(apart) }),
    ...(model === undefined ? {} : { learns: true }),
    ask: model === undefined ? (address) => ask(request, address) : (address) => askModel(model, address),
    read,
  }

  function askModel(model: SunspecModel, address: Address): Question {
    const data = (start: number): Question => ask({ ...request, start }, address)
    const start = models.get(model.id)
    return start === undefined ? walk(model, address, models, data) : data(start)
  }
}
