/** Whether parts can be sent to the object storage of a server; shared by all uploads of an uploader. */
import type { Limits } from '@cryolift/protocol/messages';
import type { Transport } from '../ports.ts';

/** A storage that could not be used is not tried for so long. */
const REST_MS = 10 * 60_000;

/** Connections to an object storage. @param origin of its URLs. */
export type OpenStorage = (origin: string) => Transport;

export class DirectAccess {
  readonly #openStorage: OpenStorage | undefined;
  readonly #transports = new Map<string, Transport>();
  #restsUntilMs = Number.NEGATIVE_INFINITY;
  #hasTaken = false;

  /** @param openStorage undefined: all parts go through the server. */
  constructor(openStorage: OpenStorage | undefined) {
    this.#openStorage = openStorage;
  }

  /** True when the storage has taken a part: a failure is then more likely a passing one. */
  get hasTaken(): boolean {
    return this.#hasTaken;
  }

  /** False while the storage could not be used a short time ago. */
  get isOpen(): boolean {
    return performance.now() >= this.#restsUntilMs;
  }

  /** @returns whether the server lets clients send parts to its storage. */
  async isOffered(askLimits: () => Promise<Limits>): Promise<boolean> {
    return this.#openStorage !== undefined && (await askLimits()).direct === true;
  }

  /** @param origin of a signed URL. */
  transportTo(origin: string): Transport {
    const known = this.#transports.get(origin);
    if (known) return known;
    const made = (this.#openStorage as OpenStorage)(origin);
    this.#transports.set(origin, made);
    return made;
  }

  noteTaken(): void {
    this.#hasTaken = true;
  }

  /** The storage cannot be used: parts go through the server for a while. */
  rest(): void {
    this.#hasTaken = false;
    this.#restsUntilMs = performance.now() + REST_MS;
  }
}
