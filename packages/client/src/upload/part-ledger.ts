/** The state of each part of an upload: missing, in flight, found on the server, stored. */
import { partExtent } from '@cryolift/protocol/plan';

/** A read-only set of part indexes. */
export interface PartSet {
  has(idx: number): boolean;
  readonly size: number;
}

export class PartLedger {
  readonly #missing = new Set<number>();
  /** With their digests once these are known. */
  readonly #underWay = new Map<number, Uint8Array | null>();
  /** With the digests of the server, which are not compared yet: they may belong to another file. */
  readonly #found = new Map<number, Uint8Array>();
  /** With the digests of the server, which match the file. */
  readonly #stored = new Map<number, Uint8Array>();
  #sizeBytes = 0;
  #partSizeBytes = 1;
  #storedBytes = 0;

  get stored(): PartSet {
    return this.#stored;
  }

  get underWay(): PartSet {
    return this.#underWay;
  }

  get missing(): PartSet {
    return this.#missing;
  }

  get found(): PartSet {
    return this.#found;
  }

  /** Acknowledged bytes of this file. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  begin(sizeBytes: number, partSizeBytes: number): void {
    this.#sizeBytes = sizeBytes;
    this.#partSizeBytes = partSizeBytes;
  }

  extent(idx: number): { offset: number; length: number } {
    return partExtent(this.#sizeBytes, this.#partSizeBytes, idx);
  }

  /** @returns a missing part, which is then in flight; undefined when none is missing. */
  take(): number | undefined {
    const idx = this.#missing.values().next().value;
    if (idx === undefined) return undefined;
    this.#missing.delete(idx);
    this.#underWay.set(idx, null);
    return idx;
  }

  noteDigest(idx: number, digest: Uint8Array): void {
    this.#underWay.set(idx, digest);
  }

  /** A part in flight was stored with the bytes of the file. */
  noteArrived(idx: number): boolean {
    const digest = this.#underWay.get(idx);
    if (!digest) return false;
    this.#underWay.delete(idx);
    this.noteStored(idx, digest);
    return true;
  }

  /** The server has the part with this digest, which must be compared with the file. */
  noteFound(idx: number, digest: Uint8Array): void {
    this.#found.set(idx, digest);
  }

  /** @returns a part that was found and is not compared yet; undefined when there is none. */
  nextFound(): number | undefined {
    return this.#found.keys().next().value;
  }

  /**
   * Compares a found part with the file.
   *
   * @returns false when they differ. True when they are equal, and the part is stored; also when the server has
   * invalidated it.
   */
  noteCompared(idx: number, digest: Uint8Array): boolean {
    const found = this.#found.get(idx);
    if (!found) return true;
    if (!areEqual(found, digest)) return false;
    this.#found.delete(idx);
    this.noteStored(idx, digest);
    return true;
  }

  /** The file may have changed since it was read: all stored parts must be compared again. */
  doubtStored(): void {
    for (const [idx, digest] of this.#stored) this.#found.set(idx, digest);
    this.#stored.clear();
    this.#storedBytes = 0;
  }

  noteStored(idx: number, digest: Uint8Array): void {
    if (!this.#stored.has(idx)) this.#storedBytes += this.extent(idx).length;
    this.#stored.set(idx, digest);
  }

  /** A part that was sent was not stored after all. */
  noteLost(idx: number): void {
    if (this.#underWay.delete(idx)) this.#missing.add(idx);
  }

  /** The server does not have the part (any more). */
  noteMissing(idx: number): void {
    this.#found.delete(idx);
    if (this.#stored.delete(idx)) this.#storedBytes -= this.extent(idx).length;
    if (!this.#underWay.has(idx)) this.#missing.add(idx);
  }

  /** The digest of a part in flight, if it was read already. */
  digestUnderWay(idx: number): Uint8Array | null {
    return this.#underWay.get(idx) ?? null;
  }

  /** Parts that are known to be on the server. */
  partsThere(): Set<number> {
    return new Set([...this.#stored.keys(), ...this.#found.keys()]);
  }

  partsUnderWay(): number[] {
    return [...this.#underWay.keys()];
  }

  /** The digests of all parts, joined in order; null when one is not known. */
  joinedDigests(partCount: number): Uint8Array<ArrayBuffer> | null {
    const joined = new Uint8Array(partCount * 32);
    for (let idx = 0; idx < partCount; idx++) {
      const digest = this.#stored.get(idx);
      if (!digest) return null;
      joined.set(digest, idx * 32);
    }
    return joined;
  }
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
