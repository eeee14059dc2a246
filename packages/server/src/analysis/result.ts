/** What the analysis of an MRC file gives. */
import type { Finding, PreviewOutcome, PreviewRequest, SignednessDecision, VoxelStatistics } from '@cryolift/mrc';

/** One picture, or why there is none. */
export type Rendered = { kind: 'png'; png: Uint8Array } | Extract<PreviewOutcome, { kind: 'refused' }>;

/** What one pass over a file has found. */
export interface AnalysisResult {
  statistics: VoxelStatistics;
  /** How the bytes of mode 0 were read; null for other modes. */
  signedness: SignednessDecision | null;
  /** Where data and header disagree, and what else the owner should know of the data. */
  findings: Finding<string>[];
  /** The pictures that are worth having of such a file; the first is the one to show. */
  previews: { request: PreviewRequest; png: Uint8Array }[];
}
