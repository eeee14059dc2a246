import { count, type Finding, type WarningCode } from '../finding.ts';
import { isPermutation, readStamp } from '../header/byte-order.ts';
import { hasMapId, type MrcHeader } from '../header/header.ts';
import { isPlaceholderCell } from '../header/meaning.ts';
import { describeMode, isCompressedMode } from '../header/mode.ts';
import { computeFileSize } from '../header/size.ts';
import type { MrcKind } from '../kind/kind.ts';
import { isVolumeStack } from '../kind/volume-stack.ts';
import { hasThickness } from './pixel-size.ts';

type Warning = Finding<WarningCode>;

const UNUSUAL_MODES: readonly number[] = [3, 4, 16];
/** Å: the range from atomic-resolution images to grid atlases, with a margin. */
export const PLAUSIBLE_VOXEL: readonly [number, number] = [0.01, 10_000];

/** Warnings for the owner of a file with a readable header. `sizeBytes`: size of the whole file. */
export function listWarnings(header: MrcHeader, sizeBytes: number, kind: MrcKind): Warning[] {
  return [
    ...warnOfSize(header, sizeBytes),
    ...warnOfMark(header),
    ...warnOfAxes(header),
    ...warnOfMode(header),
    ...warnOfVoxelSize(header, kind),
  ];
}

function warnOfSize(header: MrcHeader, sizeBytes: number): Warning[] {
  if (isCompressedMode(header.mode)) {
    const message =
      `MODE ${header.mode} marks an MRCZ file: its data are compressed, so its size says nothing about whether it is ` +
      'whole, and many programs cannot read it.';
    return [{ code: 'size_not_checked', message }];
  }
  const size = computeFileSize(header, sizeBytes);
  if (!size) return [];
  if (size.isUnpadded) {
    const message =
      `The rows of this 4-bit file (mode 101, NX ${count(header.nx)} is odd) are not padded to whole bytes. RELION ` +
      'writes them so; IMOD and others expect padded rows and would read the image skewed.';
    return [{ code: 'unpadded_4bit_rows', message }];
  }
  const extra = BigInt(sizeBytes) - size.bytes;
  if (extra <= 0n) return [];
  const message =
    `${count(extra)} bytes follow the data: the header describes ${count(size.bytes)} bytes, and the file has ` +
    `${count(sizeBytes)}. Most programs ignore the rest; check whether a section or an extended header is not counted.`;
  return [{ code: 'trailing_bytes', message }];
}

function warnOfMark(header: MrcHeader): Warning[] {
  const warnings: Warning[] = [];
  if (!hasMapId(header)) {
    const message =
      'The identifier "MAP " is missing from bytes 208 to 211, as in files of the time before 2000 and of some ' +
      'programs since. Strict readers refuse such a file.';
    warnings.push({ code: 'map_id_wrong', message });
  }
  const stamp = readStamp(header.machst);
  if (stamp !== header.byteOrder) {
    const bytes = header.machst.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const message =
      `The machine stamp (bytes 212 to 215) is ${bytes}, which ${stamp ? `says ${stamp}-endian` : 'says no byte order'}; ` +
      `the rest of the header makes sense as ${header.byteOrder}-endian, and is read so.`;
    warnings.push({ code: 'machine_stamp_wrong', message });
  }
  return warnings;
}

function warnOfAxes({ axes, ispg, nz, m }: MrcHeader): Warning[] {
  const warnings: Warning[] = [];
  if (!isPermutation(axes)) {
    const message = `MAPC, MAPR, MAPS are ${axes.join(', ')}; they must be 1, 2, 3 in some order. Most programs take 1, 2, 3.`;
    warnings.push({ code: 'axes_invalid', message });
  }
  const mz = m[2];
  if (isVolumeStack({ ispg }) && !(mz > 0 && nz % mz === 0)) {
    const message =
      `ISPG ${ispg} declares a stack of volumes of MZ sections each, but NZ ${count(nz)} is not a multiple of ` +
      `MZ ${count(mz)}.`;
    warnings.push({ code: 'volume_stack_uneven', message });
  }
  return warnings;
}

function warnOfMode({ mode }: MrcHeader): Warning[] {
  if (!UNUSUAL_MODES.includes(mode)) return [];
  const message = `The data are in mode ${describeMode(mode)}, which few programs read.`;
  return [{ code: 'unusual_mode', message }];
}

function warnOfVoxelSize(header: MrcHeader, kind: MrcKind): Warning[] {
  const { cella, m } = header;
  if (isPlaceholderCell(header)) {
    const message =
      `CELLA is 1 × 1 × 1 Å for ${m.join(' × ')} intervals, as programs leave it that do not know the cell. So the ` +
      'voxel size is not known; programs that scale by it will go wrong.';
    return [{ code: 'cell_placeholder', message }];
  }
  const [least, greatest] = PLAUSIBLE_VOXEL;
  const axes = ([0, 1, 2] as const).filter((axis) => {
    const isUnset = cella[axis] === 0 || (axis === 2 && !hasThickness(kind));
    const angstroms = cella[axis] / m[axis];
    return !isUnset && !(angstroms >= least && angstroms <= greatest);
  });
  if (axes.length === 0) return [];
  const values = axes.map((axis) => `${'XYZ'[axis]}: ${cella[axis]} Å / ${m[axis]}`).join(', ');
  const message =
    `The voxel size (CELLA / M) is implausible in ${values}. It should be in Å, between ${least} and ` +
    `${count(greatest)}; programs that scale by it will go wrong.`;
  return [{ code: 'voxel_size_implausible', message }];
}
