/** What a wire does to connections: the first one meets the first fault, and so on; those after the last meet none. */
import { MIB } from '@cryolift/protocol/plan';
import { type Random, seedRandom } from './random.ts';

/** From the client to the server, or back. */
export type Side = 'up' | 'down';
export type Piece = 'head' | 'body';
export type End = 'rst' | 'fin';

/**
 * A byte: the one before which so many bytes of heads, or of bodies, went that way over the connection; or the one that
 * follows this text, where a head or body first has it.
 */
export interface Spot {
  readonly side: Side;
  readonly piece: Piece;
  readonly at: number | string;
}

export type Fault =
  /** The connection ends before this byte: a request that was cut off, or an answer. */
  | { readonly kind: 'cut' | 'truncate'; readonly spot: Spot; readonly end: End }
  /** From this byte on nothing moves, either way; `null`: for good, and neither end hears that the other went away. */
  | { readonly kind: 'stall'; readonly spot: Spot; readonly forMs: number | null }
  /** Every piece of up to 64 KiB is held for so long. */
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number }
  /** One bit of this byte is turned. */
  | { readonly kind: 'flip'; readonly spot: Spot; readonly bit: number }
  /** The server has done what it was asked; its answer, the n-th on this connection from 0, is lost with the connection. */
  | { readonly kind: 'drop-reply'; readonly answer: number; readonly end: End }
  /** This connection is reset as it comes, and nobody listens for so long. */
  | { readonly kind: 'refuse'; readonly forMs: number };

export type Kind = Fault['kind'];

export const KINDS = [
  'cut',
  'truncate',
  'stall',
  'delay',
  'throttle',
  'flip',
  'drop-reply',
  'refuse',
] as const satisfies readonly Kind[];

/** What a script is fitted to. */
export interface Terms {
  readonly sizeBytes: number;
  /** The client gives up a connection after so long. */
  readonly stallMs: number;
}

const ENDS = ['rst', 'fin'] as const;
const PIECES = ['head', 'body'] as const;
/** Of requests with a token, and of answers: a few of them. */
const HEAD_BYTES = 2_500;
const ANSWER_BYTES = 1_500;
/** Spots in the first bytes are all alike. */
const LEAST_BYTES = 64;
/** An even share of the file for each connection. */
const CONNECTIONS = 4;

/**
 * Every kind comes once before one comes again: a client that meets nothing but refusals waits longer and longer, as it
 * should, and nothing more is learned from it.
 *
 * @returns always the same faults for the same seed and terms.
 */
export function writeScript(seed: number, terms: Terms): Fault[] {
  const random = seedRandom(seed);
  const kinds = [...random.shuffle(KINDS), ...random.shuffle(KINDS)].slice(0, random.whole(4, 12));
  return kinds.map((kind) => writeFault(kind, random, terms));
}

function writeFault(kind: Kind, random: Random, { sizeBytes, stallMs }: Terms): Fault {
  const up = (): Spot =>
    random.chance(0.2)
      ? { side: 'up', piece: 'head', at: random.whole(0, HEAD_BYTES) }
      : { side: 'up', piece: 'body', at: random.magnitude(LEAST_BYTES, sizeBytes / CONNECTIONS) };
  const down = (): Spot => ({ side: 'down', piece: random.pick(PIECES), at: random.whole(0, ANSWER_BYTES) });
  const either = () => (random.chance(0.6) ? up() : down());
  switch (kind) {
    case 'cut':
      return { kind, spot: up(), end: random.pick(ENDS) };
    case 'truncate':
      return { kind, spot: down(), end: random.pick(ENDS) };
    case 'stall':
      return { kind, spot: either(), forMs: random.chance(0.3) ? null : random.whole(stallMs / 10, stallMs * 2) };
    case 'delay':
      return { kind, ms: random.whole(1, 20) };
    case 'throttle':
      return { kind, bytesPerSecond: random.whole(4 * MIB, 32 * MIB) };
    case 'flip':
      return { kind, spot: either(), bit: random.whole(0, 7) };
    case 'drop-reply':
      return { kind, answer: random.whole(0, 5), end: random.pick(ENDS) };
    case 'refuse':
      return { kind, forMs: random.whole(100, 1_500) };
  }
}

/** True when what is on its way can be lost with it. @param stallMs as in the terms. */
export function isLossy(fault: Fault, stallMs: number): boolean {
  if (fault.kind === 'stall') return fault.forMs === null || fault.forMs > stallMs / 2;
  return fault.kind !== 'delay' && fault.kind !== 'throttle';
}

export function printFault(fault: Fault): string {
  const spot = 'spot' in fault ? ` ${fault.spot.side} ${fault.spot.piece} at ${JSON.stringify(fault.spot.at)}` : '';
  switch (fault.kind) {
    case 'cut':
    case 'truncate':
      return `${fault.kind}${spot} ${fault.end}`;
    case 'stall':
      return `stall${spot} ${fault.forMs === null ? 'for good' : `${fault.forMs} ms`}`;
    case 'delay':
      return `delay ${fault.ms} ms`;
    case 'throttle':
      return `throttle ${(fault.bytesPerSecond / MIB).toFixed(1)} MiB/s`;
    case 'flip':
      return `flip${spot} bit ${fault.bit}`;
    case 'drop-reply':
      return `drop-reply ${fault.answer} ${fault.end}`;
    case 'refuse':
      return `refuse ${fault.forMs} ms`;
  }
}
