/** What the extended header of an MRC file and its `.mdoc` file say. Loaded when the first file is added. */
import {
  applyMdoc,
  completeSummary,
  decodeMdoc,
  describeMrc,
  hasFrames,
  MAX_MDOC_BYTES,
  type MrcSummary,
  parseHeader,
  parseMdoc,
  summariseMdoc,
} from '@cryolift/mrc';
import { readerOf } from './file-reader.ts';

/**
 * @param summary by the first 1,024 bytes, `header`.
 * @param sidecar its `.mdoc` file. @throws when a file cannot be read.
 */
export async function describeFile(
  file: File,
  header: Uint8Array,
  summary: MrcSummary,
  sidecar: File | null,
): Promise<MrcSummary> {
  const said = { sizeBytes: file.size, filename: file.name };
  const completed = completeSummary(summary, await describeMrc(readerOf(file), parseHeader(header, file.size), said));
  if (!sidecar || sidecar.size > MAX_MDOC_BYTES || !hasFrames(completed.kind)) return completed;
  const text = decodeMdoc(new Uint8Array(await sidecar.arrayBuffer()));
  return applyMdoc(completed, summariseMdoc(parseMdoc(text)));
}
