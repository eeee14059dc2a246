/** The result of the analysis of an MRC file. */
import type {
  FileStatistics,
  Finding,
  MrcDescription,
  PreviewOutcome,
  PreviewRequest,
  SignednessDecision,
} from '@cryolift/mrc';

/** The long side of the pictures in lists, at most. */
export const THUMBNAIL_PX = 256;

/** One picture, or the reason for having none. */
export type Rendered = { kind: 'png'; png: Uint8Array } | Extract<PreviewOutcome, { kind: 'refused' }>;

/** The result of one pass over a file. */
export interface AnalysisResult {
  statistics: FileStatistics;
  /** How the bytes of mode 0 were read; null for other modes. */
  signedness: SignednessDecision | null;
  /** What the two headers say together. */
  description: MrcDescription;
  /** Differences between data and header, and other warnings for the owner. */
  findings: Finding<string>[];
  /** The default pictures of such a file; the first one is the main picture. */
  previews: { request: PreviewRequest; png: Uint8Array }[];
  /** The main picture in the size of lists; null: there is no picture. */
  thumbnail: { request: PreviewRequest; png: Uint8Array } | null;
}
