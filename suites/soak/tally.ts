/** What came of the uploads, by the kind of client. */

export const KINDS = ['upload', 'watch', 'page', 'tus', 'resumable', 'curl', 'wire'] as const;
export type Kind = (typeof KINDS)[number];

export interface Outcomes {
  /** Uploads that a client was given. */
  started: number;
  /** Files that were published, compared byte for byte, and deleted. */
  right: number;
  /** Bytes of those. */
  bytes: number;
  /** Uploads that were to end otherwise, and did: cancelled, failed for a wrong digest, left alone. */
  otherwise: number;
  /** Runs that a fault has ended with an error, and that were repeated. */
  repeated: number;
  /** What must not be. */
  wrong: number;
}

export type Tally = Readonly<Record<Kind, Outcomes>>;

export function newTally(): Tally {
  const empty = (): Outcomes => ({ started: 0, right: 0, bytes: 0, otherwise: 0, repeated: 0, wrong: 0 });
  return Object.fromEntries(KINDS.map((kind) => [kind, empty()])) as unknown as Tally;
}

export function sum(tally: Tally, of: keyof Outcomes): number {
  return Object.values(tally).reduce((total, outcomes) => total + outcomes[of], 0);
}
