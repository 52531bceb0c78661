/** Every wait of an uplink, in ms, with the contract's figures (uplink contract, sections 1, 4, 9 and 10). */
export type UplinkTimings = {
  /** TCP, TLS and CONNACK together. */
  readonly connectMs: number
  /** No PUBACK for so long: the connection is dropped. */
  readonly ackMs: number
  readonly heartbeatMs: number
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
  /** Health, with at least one acknowledged batch, after which the back-off starts from its base again. */
  readonly healthyMs: number
  /** A line that was down for so long was down for the whole fleet: the next CONNECT waits at random up to `spreadMs`. */
  readonly spreadAfterMs: number
  readonly spreadMs: number
  /** t batches younger than this are live. */
  readonly youngMs: number
  /** Nobody listens (0x10): the head is sent again after so long, doubling to the maximum. */
  readonly undeliveredMs: number
  readonly undeliveredMaxMs: number
  readonly undeliveredAlarmMs: number
  /** The broker's quota (0x97): nothing is sent for so long, doubling to the maximum. */
  readonly slowMs: number
  readonly slowMaxMs: number
  /** How long an endpoint that speaks only 3.1.1 is remembered. */
  readonly versionMs: number
  /** Three takeovers within this time: somebody else uses our identity. It ends after a connection that lasted so long. */
  readonly takeoverMs: number
  /** Reconnects wait at least so long while our identity is in use elsewhere. */
  readonly takeoverPauseMs: number
  /** Time-driven decisions (holds, tokens, timeouts) are looked at so often. */
  readonly tickMs: number
  /** How much of the day's budget is used is kept so often: a crash forgets no more than that. */
  readonly keepMs: number
  /** An orderly stop may take so long. */
  readonly goodbyeMs: number
}

const MINUTE = 60_000

export const TIMINGS: UplinkTimings = {
  connectMs: 20_000,
  ackMs: 20_000,
  heartbeatMs: 30_000,
  backoffBaseMs: 1_000,
  backoffMaxMs: 5 * MINUTE,
  healthyMs: MINUTE,
  spreadAfterMs: 5 * MINUTE,
  spreadMs: 30_000,
  youngMs: MINUTE,
  undeliveredMs: 5_000,
  undeliveredMaxMs: MINUTE,
  undeliveredAlarmMs: 5 * MINUTE,
  slowMs: 1_000,
  slowMaxMs: MINUTE,
  versionMs: 24 * 60 * MINUTE,
  takeoverMs: 5 * MINUTE,
  takeoverPauseMs: 30_000,
  tickMs: 200,
  keepMs: MINUTE,
  goodbyeMs: 2_000,
}
