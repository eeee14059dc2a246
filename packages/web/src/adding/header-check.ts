/** The check of a file's type, size, MRC header and TIFF structure before its upload. */
import { checkMrc, extensionOf, isMrcName, isTiffName, MRC_HEADER_BYTES, type MrcSummary } from '@cryolift/mrc';
import { isAcceptedType } from '@cryolift/protocol/accepted-types';
import type { FileRecord, Finding, Limits } from '@cryolift/protocol/messages';
import { texts } from '../texts.ts';

export interface HeaderCheck {
  readonly mrc: FileRecord['mrc'];
  /** Why the server would refuse the file; empty when the server would accept it. */
  readonly refusals: readonly string[];
  /** The server accepts the file when the upload is forced. */
  readonly canForce: boolean;
  readonly warnings: readonly Finding[];
}

/**
 * Applies the same rules as the server. Reads the first 1,024 bytes of an MRC file, and the directories of a TIFF file.
 *
 * @param limits null when they could not be read; then the server alone checks type and size.
 * @param sidecar its `.mdoc` file, which may say that it is a tilt series.
 */
export async function checkHeader(
  file: File,
  limits: Limits | null,
  sidecar: File | null = null,
): Promise<HeaderCheck> {
  const refusals = limits ? checkLimits(file, limits) : [];
  if (refusals.length > 0) return { mrc: null, refusals, canForce: false, warnings: [] };
  if (isTiffName(file.name)) {
    const { checkStructure } = await import('./structure-check.ts');
    return { mrc: null, canForce: true, ...(await checkStructure(file)) };
  }
  if (!isMrcName(file.name)) return { mrc: null, refusals: [], canForce: false, warnings: [] };
  const header = new Uint8Array(await file.slice(0, MRC_HEADER_BYTES).arrayBuffer());
  const check = checkMrc({ header, sizeBytes: file.size, filename: file.name });
  if (check.verdict === 'header_incomplete') {
    return { mrc: null, refusals: [texts.check.unreadable], canForce: false, warnings: [] };
  }
  return {
    mrc: (check.mrc && (await describe(file, header, check.mrc, sidecar))) as FileRecord['mrc'],
    refusals: check.rejections.map(({ message }) => message),
    canForce: true,
    warnings: [...check.warnings],
  };
}

/** With what the extended header and the `.mdoc` file say; without it when they cannot be read. */
async function describe(
  file: File,
  header: Uint8Array,
  summary: MrcSummary,
  sidecar: File | null,
): Promise<MrcSummary> {
  try {
    const { describeFile } = await import('./describe-file.ts');
    return await describeFile(file, header, summary, sidecar);
  } catch {
    return summary;
  }
}

function checkLimits(file: File, limits: Limits): string[] {
  const type = extensionOf(file.name);
  const known = [...limits.mrc_types, ...limits.accepted_types];
  if (!isMrcName(file.name) && !isAcceptedType(known, type)) return [texts.check.unknownType(type, known)];
  if (file.size > limits.max_file_size) return [texts.check.tooLarge(limits.max_file_size)];
  return [];
}
