/** The check of a file's type, size and MRC header before its upload. */
import { checkMrc, extensionOf, isMrcName, MRC_HEADER_BYTES } from '@cryolift/mrc';
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
 * Applies the same rules as the server. Reads at most the first 1,024 bytes.
 *
 * @param limits null when they could not be read; then the server alone checks type and size.
 */
export async function checkHeader(file: File, limits: Limits | null): Promise<HeaderCheck> {
  const refusals = limits ? checkLimits(file, limits) : [];
  if (refusals.length > 0) return { mrc: null, refusals, canForce: false, warnings: [] };
  if (!isMrcName(file.name)) return { mrc: null, refusals: [], canForce: false, warnings: [] };
  const header = new Uint8Array(await file.slice(0, MRC_HEADER_BYTES).arrayBuffer());
  const check = checkMrc({ header, sizeBytes: file.size, filename: file.name });
  if (check.verdict === 'header_incomplete') {
    return { mrc: null, refusals: [texts.check.unreadable], canForce: false, warnings: [] };
  }
  return {
    mrc: check.mrc as FileRecord['mrc'],
    refusals: check.rejections.map(({ message }) => message),
    canForce: true,
    warnings: [...check.warnings],
  };
}

function checkLimits(file: File, limits: Limits): string[] {
  const type = extensionOf(file.name);
  const known = [...limits.mrc_types, ...limits.accepted_types];
  if (!isMrcName(file.name) && !isAcceptedType(known, type)) return [texts.check.unknownType(type, known)];
  if (file.size > limits.max_file_size) return [texts.check.tooLarge(limits.max_file_size)];
  return [];
}
