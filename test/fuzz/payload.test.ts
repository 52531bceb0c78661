/** Codecs of devices that publish. */
import { PAYLOAD_NAMES } from '../../src/protocols/all.ts'
import { trySome } from './smoke.ts'

trySome(PAYLOAD_NAMES)
