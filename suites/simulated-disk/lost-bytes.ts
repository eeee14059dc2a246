/** Which bytes of a file a disk has after a power loss. */
import type { Random } from '../faults/random.ts';
import type { Change, Node } from './history.ts';
import { flushedUntil } from './lost-names.ts';

/** Written at once, or not. */
const SECTOR_BYTES = 512;
/** Of the system's cache: written without the others, in any order. */
const PAGE_BYTES = 4096;
/** A page of which some sectors are older than others. */
const TORN = 0.25;

/** @param at the moment of the loss. */
export function loseBytes(file: Node, at: number, random: Random): Buffer {
  const done = file.changes.filter(({ began }) => began <= at);
  const flushed = flushedUntil(file, at);
  const safe = done.filter(({ ended }) => ended < flushed);
  const loose = done.filter(({ ended }) => ended >= flushed);
  const base = applyAll(Buffer.alloc(0), safe);
  switch (random.pick(['all', 'none', 'first', 'pages', 'pages'])) {
    case 'all':
      return applyAll(base, loose);
    case 'none':
      return base;
    case 'first':
      return applyAll(base, loose.slice(0, random.whole(0, loose.length)));
    default:
      return loosePages(base, loose, random);
  }
}

/** Without a power loss. */
export function keepBytes({ changes }: Node): Buffer {
  return applyAll(Buffer.alloc(0), changes);
}

/** Each page has the bytes of some moment since the last flush; the length is that of some other moment. */
function loosePages(base: Buffer, loose: readonly Change[], random: Random): Buffer {
  const sizes = random.whole(0, loose.length);
  const sizeBytes = loose.slice(0, sizes).reduce(resized, base.length);
  const whole = Buffer.alloc(sizeBytes);
  base.copy(whole);
  for (let start = 0; start < sizeBytes; start += PAGE_BYTES) {
    const touching = loose.filter((change) => touches(change, start));
    if (touching.length === 0) continue;
    // A page that was cut off is not found again; one that is not cut off has nothing that was written after the cut.
    const cuts = touching.map((change) => ('bytes' in change ? null : loose.indexOf(change)));
    const least = cuts.findLastIndex((index) => index !== null && index < sizes) + 1;
    const cut = cuts.findIndex((index) => index !== null && index >= sizes);
    const most = cut < 0 ? touching.length : cut;
    const draw = () => applyToPage(base, touching.slice(0, random.whole(least, Math.max(least, most))), start);
    const page = draw();
    if (random.chance(TORN)) mixSectors(page, draw(), random);
    page.copy(whole, start, 0, Math.min(PAGE_BYTES, sizeBytes - start));
  }
  return whole;
}

function mixSectors(page: Buffer, other: Buffer, random: Random): void {
  for (let at = 0; at < PAGE_BYTES; at += SECTOR_BYTES) {
    if (random.chance(0.5)) other.copy(page, at, at, at + SECTOR_BYTES);
  }
}

function applyAll(base: Buffer, changes: readonly Change[]): Buffer {
  // Grown once, not with each change.
  let sizeBytes = base.length;
  let mostBytes = sizeBytes;
  for (const change of changes) {
    sizeBytes = resized(sizeBytes, change);
    mostBytes = Math.max(mostBytes, sizeBytes);
  }
  const whole = Buffer.alloc(mostBytes);
  base.copy(whole);
  for (const change of changes) {
    if ('bytes' in change) change.bytes.copy(whole, change.offset);
    else whole.fill(0, change.sizeBytes);
  }
  return whole.subarray(0, sizeBytes);
}

function applyToPage(base: Buffer, changes: readonly Change[], start: number): Buffer {
  const page = Buffer.alloc(PAGE_BYTES);
  base.subarray(start, start + PAGE_BYTES).copy(page);
  for (const change of changes) {
    if (!('bytes' in change)) page.fill(0, Math.max(0, change.sizeBytes - start));
    else if (change.offset >= start) change.bytes.copy(page, change.offset - start);
    else change.bytes.subarray(start - change.offset).copy(page);
  }
  return page;
}

function touches(change: Change, start: number): boolean {
  if (!('bytes' in change)) return change.sizeBytes < start + PAGE_BYTES;
  return change.offset < start + PAGE_BYTES && change.offset + change.bytes.length > start;
}

function resized(sizeBytes: number, change: Change): number {
  return 'bytes' in change ? Math.max(sizeBytes, change.offset + change.bytes.length) : change.sizeBytes;
}
