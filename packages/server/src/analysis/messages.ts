/** What is said between the looker and its thread. */
import type { MrcOverrides, PreviewRequest } from '@cryolift/mrc';
import type { AnalysisResult, Rendered } from '../storage/storage.ts';

/** Stored bytes that are, or will be, an MRC file. */
export interface AnalysisTarget {
  path: string;
  sizeBytes: number;
  /** Its ending helps to tell a stack from a volume. */
  filename: string;
  /** What its metadata say of it. */
  overrides?: MrcOverrides | undefined;
}

/** To the thread: survey a file, as far as its bytes are there. */
interface AnalyzeMessage {
  kind: 'analyze';
  job: number;
  target: AnalysisTarget;
}
/** To the thread: the bytes before `limit` can be read at `path`. */
export interface AdvanceJob {
  kind: 'advance';
  job: number;
  path: string;
  limit: number;
  /** Whoever began the survey waits for what it finds. */
  isWanted: boolean;
}
/** To the thread: nobody wants it any more. Answered when the file is not open there any more. */
interface DropJob {
  kind: 'drop';
  job: number;
}
/** To the thread: draw one picture. */
interface RenderJob {
  kind: 'render';
  job: number;
  target: AnalysisTarget;
  request: PreviewRequest;
}
/** To the thread: nobody waits for this picture any more. Reported as an error, unless it is ready before. */
interface CancelJob {
  kind: 'cancel';
  job: number;
}
export type AnalysisMessage = AnalyzeMessage | AdvanceJob | DropJob | RenderJob | CancelJob;

/** From the thread. `analyzed` null: the voxels of this file cannot be read. */
export type AnalysisReport =
  | { job: number; analyzed: AnalysisResult | null }
  | { job: number; rendered: Rendered }
  | { job: number; error: string }
  | { job: number; dropped: true };
