/** Keeps the files of a scan whose types the server accepts. */
import { basename } from 'node:path/posix';
import { extensionOf } from '@cryolift/mrc';
import { isAcceptedType } from '@cryolift/protocol/accepted-types';
import type { Limits } from '@cryolift/protocol/messages';
import { typesOf } from '../files/accepted-types.ts';
import type { Output } from '../output/output.ts';
import type { Stamp, Unusable } from './scan.ts';

export class AcceptedFiles {
  readonly #output: Output;
  #types: ReadonlySet<string> = new Set();
  /** Types that were left out and reported. */
  readonly #reported = new Set<string>();

  constructor(output: Output) {
    this.#output = output;
  }

  noteLimits(limits: Limits): void {
    this.#types = typesOf(limits);
  }

  /** Reports each type that is left out once. */
  filter(present: ReadonlyMap<string, Stamp>): Map<string, Stamp> {
    return new Map([...present].filter(([path]) => this.#accepts(path) || this.#reportType(path)));
  }

  /** An unusable file of a type that the server does not accept is not reported. */
  filterUnusable(unusable: ReadonlyMap<string, Unusable>): Map<string, Unusable> {
    return new Map([...unusable].filter(([path, { isFolder }]) => isFolder || this.#accepts(path)));
  }

  #accepts(path: string): boolean {
    return isAcceptedType(this.#types, extensionOf(basename(path)));
  }

  #reportType(path: string): false {
    const type = extensionOf(basename(path));
    if (this.#reported.has(type)) return false;
    this.#reported.add(type);
    this.#output.event({ event: 'skipped', path, reason: 'type' });
    this.#output.note(`${path}: skipped like all ${type || 'files without a type'}; the server does not accept it`);
    return false;
  }
}
