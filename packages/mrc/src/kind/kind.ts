import type { Finding } from '../finding.ts';
import type { MrcHeader } from '../header/header.ts';
import { labelsOf } from '../header/labels.ts';
import { voxelSize } from '../header/meaning.ts';
import { extensionOf } from './name.ts';
import { isVolumeStack } from './volume-stack.ts';

export const MRC_KINDS = ['image', 'stack', 'tilt_series', 'volume', 'volume_stack'] as const;
export type MrcKind = (typeof MRC_KINDS)[number];

/** What decided the kind, in order of priority. */
export type KindEvidence =
  | 'given'
  | 'volume_stack_ispg'
  | 'one_section'
  | 'extension'
  | 'name'
  | 'mz'
  | 'label'
  | 'ispg'
  | 'tilts'
  | 'mdoc'
  | 'extended_header'
  | 'mode'
  | 'dimensions'
  | 'default';

export interface KindDecision {
  readonly kind: MrcKind;
  /** The message names the evidence, for a person. */
  readonly evidence: Finding<KindEvidence>;
}

type Fields = Pick<
  MrcHeader,
  'nx' | 'ny' | 'nz' | 'mode' | 'm' | 'cella' | 'ispg' | 'nsymbt' | 'exttyp' | 'nlabl' | 'label'
>;
type Rule = (header: Fields, filename: string) => KindDecision | null;

const EXTENSIONS: Readonly<Record<string, MrcKind>> = {
  mrcs: 'stack',
  st: 'stack',
  ali: 'stack',
  preali: 'stack',
  rec: 'volume',
  map: 'volume',
  ccp4: 'volume',
};

/**
 * Endings of names before the extension: IMOD (which uses `.mrc` for all files), AreTomo, EPU and Thermo Fisher
 * Tomography.
 */
const NAME_ENDINGS: readonly (readonly [RegExp, MrcKind])[] = [
  [/_(rec|vol)$/i, 'volume'],
  [/_(preali|ali|fractions)$/i, 'stack'],
];

/**
 * Programs that write their names into a label, and that write only one kind of file under a name that ends in `.mrc`.
 * Labels are a history: a tomogram also has the labels of its tilt series, so volumes come first.
 */
const LABELS: readonly (readonly [RegExp, string, MrcKind])[] = [
  [/^TILT: Tomographic reconstruction/, "IMOD's tilt", 'volume'],
  [/^(UCSF )?Chimera(X)?\b/, 'ChimeraX or Chimera', 'volume'],
  [/^Relion\b/i, 'RELION, which calls its stacks .mrcs', 'volume'],
  [/^EMAN\b/, 'EMAN2, which calls its stacks .mrcs', 'volume'],
  [/^SerialEM(CCD)?:/, 'SerialEM', 'stack'],
];
/** cisTEM writes ISPG 1 into all its files, so ISPG is no evidence there. */
const CISTEM_LABEL = /^\*\* (GuiX|cisTEM) \*\*/;

/** Extended header types with a record for each image. AGAR is not included: AreTomo also writes it for volumes. */
const IMAGE_EXTTYPES: readonly string[] = ['FEI1', 'FEI2', 'SERI'];

/** Sides of camera frames are longer, those of particles and binned tomograms shorter. */
const CAMERA_SIDE = 3000;
/** Boxes of particles are smaller. */
const PARTICLE_SIDE = 900;
/** A tilt series has fewer images. */
const MAX_TILTS = 150;
/** How much longer the longest side of a volume without a label may be than its shortest. */
const CUBE_RATIO = 1.25;
/** How much the voxels of a volume may differ along z. */
const ANISOTROPY = 0.1;

/**
 * Decides what the sections of a file are. MRC2014 defines it by ISPG, but RELION, ChimeraX, CryoSPARC, EMAN2 and
 * others leave ISPG at 0 for volumes, and cisTEM sets it to 1 for images. So all evidence is tried, the most reliable
 * first.
 *
 * @param given the kind that the owner of the file gives; it overrides all other evidence.
 */
export function decideKind(header: Fields, filename = '', given?: MrcKind): KindDecision {
  if (given) return giveKind(given);
  for (const rule of RULES) {
    const decision = rule(header, filename);
    if (decision) return decision;
  }
  const says = header.ispg === 0 ? 'which is for images' : 'which is no space group';
  return decide('stack', 'default', `ISPG is ${header.ispg}, ${says}, and nothing else says what the sections are`);
}

/** The decision for a kind that the owner of the file gives. */
export function giveKind(given: MrcKind): KindDecision {
  return decide(given, 'given', 'it was given with the file');
}

const RULES: readonly Rule[] = [
  (header) =>
    isVolumeStack(header)
      ? decide('volume_stack', 'volume_stack_ispg', `ISPG is ${header.ispg}, which is for stacks of volumes`)
      : null,
  ({ nz }) => (nz === 1 ? decide('image', 'one_section', 'there is one section') : null),
  byExtension,
  byName,
  byMz,
  byLabel,
  byIspg,
  ({ nsymbt, exttyp }) =>
    nsymbt > 0 && IMAGE_EXTTYPES.includes(exttyp)
      ? decide('stack', 'extended_header', `the extended header (${exttyp}) has a record for each image`)
      : null,
  ({ mode }) => (mode === 101 ? decide('stack', 'mode', 'only frames of cameras have 4 bits (mode 101)') : null),
  byDimensions,
];

function byExtension(_: Fields, filename: string): KindDecision | null {
  const extension = extensionOf(filename);
  const kind = EXTENSIONS[extension];
  return kind ? decide(kind, 'extension', `the name ends in .${extension}`) : null;
}

function byName(_: Fields, filename: string): KindDecision | null {
  const stem = filename.replace(/\.[^.]*$/, '');
  for (const [ending, kind] of NAME_ENDINGS) {
    const found = ending.exec(stem);
    if (found) return decide(kind, 'name', `the name ends in ${found[0]}`);
  }
  return null;
}

/** In a stack each image is a cell of its own along z. A space group has priority, except in files of cisTEM. */
function byMz(header: Fields): KindDecision | null {
  if (header.m[2] !== 1 || header.ispg > 0) return null;
  return decide('stack', 'mz', `MZ is 1 and NZ is ${header.nz}: each section is an image of its own`);
}

function byLabel(header: Fields): KindDecision | null {
  const labels = labelsOf(header);
  for (const [pattern, program, kind] of LABELS) {
    if (labels.some((text) => pattern.test(text))) return decide(kind, 'label', `a label is of ${program}`);
  }
  if (!labels.some((text) => CISTEM_LABEL.test(text))) return null;
  return isCube(header)
    ? decide('volume', 'label', "a label is of cisTEM, and the file is a cube as cisTEM's volumes are")
    : decide('stack', 'label', "a label is of cisTEM, and the file is no cube as cisTEM's volumes are");
}

/** Any space group; CCP4 uses numbers above 1000 for alternative settings. */
function byIspg({ ispg }: Fields): KindDecision | null {
  return ispg > 0 ? decide('volume', 'ispg', `ISPG is ${ispg}, which is for volumes`) : null;
}

function byDimensions(header: Fields): KindDecision | null {
  const { nx, ny, nz } = header;
  if (isCube(header)) return decide('volume', 'dimensions', `the file is a cube of ${nx} voxels`);
  if (isCubeLike(header)) {
    return decide('volume', 'dimensions', `MZ is NZ, the voxels are cubes, and ${nx} × ${ny} × ${nz} is nearly one`);
  }
  if (Math.max(nx, ny) >= CAMERA_SIDE || !isIsotropic(header)) return null;
  // Particles are small squares; other sections come from a camera, a tilt series or a volume.
  const isSquare = nx === ny;
  if (isSquare && nx < PARTICLE_SIDE) return null;
  if (nz <= MAX_TILTS && (isSquare || nz < Math.min(nx, ny) / 2)) return null;
  const particles = isSquare ? 'too large for particles' : 'and particles are square';
  const message = `${nz} sections of ${nx} × ${ny} are too many for a tilt series, too small for a camera, ${particles}`;
  return decide('volume', 'dimensions', message);
}

/** Many stacks have the MZ and the cell of a volume, too, but few have as many images as pixels along a side. */
function isCubeLike(header: Fields): boolean {
  const { nx, ny, nz, m } = header;
  const isNearly = Math.max(nx, ny, nz) <= CUBE_RATIO * Math.min(nx, ny, nz);
  return isNearly && m[2] === nz && (voxelSize(header)?.[2] ?? 0) > 0 && isIsotropic(header);
}

function isCube(header: Fields): boolean {
  return header.nx === header.ny && header.nx === header.nz && isIsotropic(header);
}

/** Also true when the header does not give the distance of the sections. */
function isIsotropic(header: Fields): boolean {
  const [x, , z] = voxelSize(header) ?? [0, 0, 0];
  return z === 0 || Math.abs(z - x) <= ANISOTROPY * x;
}

function decide(kind: MrcKind, code: KindEvidence, message: string): KindDecision {
  return { kind, evidence: { code, message } };
}
