/** Controllers and boards that print lines, one-way: no question, no checksum, no address but what the line itself says. */
export { cutLines, type Cut, type Cutting, NOTHING_HELD } from './split.ts'
export { parsePart, partText } from './place.ts'
export { type LineRefusal, type Parts, partOf, readParts, takeApart } from './read.ts'
