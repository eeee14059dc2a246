/** The messages between `MrcAnalyzer` and its thread. */
import type { PreviewRequest } from '@cryolift/mrc';
import type { AnalysisResult, Rendered } from './result.ts';
import type { AnalysisTarget } from './target.ts';

/** To the thread: analyze a file, as far as its bytes are stored. */
interface AnalyzeMessage {
  kind: 'analyze';
  job: number;
  target: AnalysisTarget;
}
/** To the thread: the bytes before `limit` can be read at `url`. */
export interface AdvanceJob {
  kind: 'advance';
  job: number;
  url: string;
  limit: number;
  /** The caller waits for the result. */
  isWanted: boolean;
  /** See `AnalysisTarget`; known to the caller that waits. */
  tilts?: AnalysisTarget['tilts'];
}
/** To the thread: the analysis is cancelled. Answered when the file is closed there. */
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
/** To the thread: the picture is cancelled. Reported as an error, unless it is ready before. */
interface CancelJob {
  kind: 'cancel';
  job: number;
}
export type AnalysisMessage = AnalyzeMessage | AdvanceJob | DropJob | RenderJob | CancelJob;

/** From the thread. `analyzed` null: the voxels of this file cannot be read; `damage` says why when its data are wrong. */
export type AnalysisReport =
  | { job: number; analyzed: AnalysisResult | null; damage?: string }
  | { job: number; rendered: Rendered }
  | { job: number; error: string }
  | { job: number; dropped: true };
