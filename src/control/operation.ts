/** One thing that may be asked of the gateway: schema in, schema out, the least role that may ask, and what answers. */
import type { z } from 'zod'
import type { Role, Text } from '../model/point.ts'
import type { CallContext } from './context.ts'
import { issueText } from './issue.ts'

export type Operation = {
  readonly name: string
  readonly role: Role
  /** It changes something: it is written down before it runs, and a caller who hangs up does not stop it half way. */
  readonly mutates: boolean
  readonly input: z.ZodType
  /** Of a stream: of one line. */
  readonly output: z.ZodType
} & (
  | { readonly kind: 'answer'; readonly answer: (context: CallContext, input: unknown) => Promise<unknown> }
  /** Lines in groups; ends when the context's signal aborts. */
  | {
      readonly kind: 'stream'
      readonly stream: (context: CallContext, input: unknown) => AsyncIterable<readonly unknown[]>
    }
)

/** The input was parsed by the operation's own schema before `run` sees it. */
export function answering<In extends z.ZodType, Out extends z.ZodType>(operation: {
  name: string
  role: Role
  mutates?: boolean
  input: In
  output: Out
  run: (context: CallContext, input: z.output<In>) => Promise<z.output<Out>> | z.output<Out>
}): Operation {
  const { run, ...facts } = operation
  return {
    ...facts,
    mutates: facts.mutates ?? false,
    kind: 'answer',
    answer: async (context, input) => run(context, parse(facts.input, input)),
  }
}

export function streaming<In extends z.ZodType, Out extends z.ZodType>(operation: {
  name: string
  role: Role
  input: In
  output: Out
  run: (context: CallContext, input: z.output<In>) => AsyncIterable<readonly z.output<Out>[]>
}): Operation {
  const { run, ...facts } = operation
  return {
    ...facts,
    mutates: false,
    kind: 'stream',
    stream: (context, input) => run(context, parse(facts.input, input)),
  }
}

/** Codes are those of the uplink's responses (uplink contract, section 7), so that one fault has one name everywhere. */
const HTTP_STATUS = {
  E_ARGS: 400,
  E_DENIED: 403,
  E_UNKNOWN_OP: 404,
  E_NO_DEVICE: 404,
  E_NO_POINT: 404,
  E_NO_ALARM: 404,
  E_TYPE: 422,
  E_RANGE: 422,
  E_TOO_LARGE: 413,
  E_BUSY: 503,
  E_TIMEOUT: 504,
  E_DISK: 507,
  E_INTERNAL: 500,
} as const

export type ErrorCode = keyof typeof HTTP_STATUS

/** What is wrong with the request, said to the caller; not a bug of ours. */
export class OperationError extends Error {
  readonly code: ErrorCode
  readonly text: Text
  readonly hint: Text | null

  constructor(code: ErrorCode, text: Text, hint: Text | null = null) {
    super(text.en)
    this.code = code
    this.text = text
    this.hint = hint
  }

  get httpStatus(): number {
    return HTTP_STATUS[this.code]
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  throw new OperationError('E_ARGS', issueText(parsed.error.issues[0]))
}
