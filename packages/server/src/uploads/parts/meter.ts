/** What the uploads module counts and times, for operators. */

/** Steps that a part, and then the file, goes through. */
export type Stage = 'receive' | 'write' | 'commit' | 'verify' | 'publish';

/** Bytes that are not what they should be: a part as it came, the whole of an upload, or a part that was stored before. */
type Unsound = 'part' | 'file' | 'stored_part';

export interface UploadMeter {
  /** Bytes of a part's body that came, whatever becomes of them. */
  noteReceived(bytes: number): void;
  /** A stage that ended well. */
  noteStage(stage: Stage, seconds: number): void;
  noteVerifyFailures(what: Unsound, count: number): void;
  /** An attempt at a job on a published file. */
  noteJob(kind: string, outcome: 'done' | 'later' | 'failed', seconds: number): void;
}

/** Times a stage; one that fails is not noted. @throws what `work` throws. */
export async function timeStage<T>(meter: UploadMeter, stage: Stage, work: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const result = await work();
  meter.noteStage(stage, (performance.now() - startedMs) / 1000);
  return result;
}
