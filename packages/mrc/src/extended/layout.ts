import type { MrcHeader } from '../header/header.ts';

/**
 * What an extended header consists of: `fei`, a record for each section of FEI1 and FEI2; `serialem`, short integers
 * for each section; `agard`, integers and then floats for each section; `symmetry`, operators of a space group, 80
 * characters each.
 */
export type ExtendedLayout = 'fei' | 'serialem' | 'agard' | 'symmetry';

type Fields = Pick<MrcHeader, 'nsymbt' | 'exttyp' | 'ispg' | 'nint' | 'nreal'>;

export const SYMMETRY_BYTES = 80;

/**
 * Bytes of the values that SerialEM may store for each section, by the bits of NREAL from the lowest: tilt angle, piece
 * coordinates, stage position, magnification, intensity, dose, and five others (`b3dHeaderItemBytes` of IMOD).
 */
export const SERIALEM_ITEM_BYTES: readonly number[] = [2, 6, 4, 2, 2, 4, 2, 4, 2, 4, 2];

/**
 * Recognises an extended header by EXTTYP and, in files from the time before EXTTYP, by NINT and NREAL as IMOD does;
 * null when there is none or its layout is not known.
 */
export function extendedLayout(header: Fields): ExtendedLayout | null {
  const { nsymbt, exttyp, nint, nreal } = header;
  if (nsymbt <= 0) return null;
  switch (exttyp) {
    case 'FEI1':
    case 'FEI2':
      return 'fei';
    case 'SERI':
      return isSerialEm(header) ? 'serialem' : null;
    case 'AGAR':
      return isAgard(header) ? 'agard' : null;
    case 'CCP4':
      return isSymmetry(header) ? 'symmetry' : null;
    case '\0\0\0\0':
    case '    ':
      if (isSymmetry(header)) return 'symmetry';
      if (isSerialEm({ nint, nreal })) return 'serialem';
      return isAgard(header) ? 'agard' : null;
    default:
      return null;
  }
}

/** True when NINT is the number of bytes of the values whose bits are set in NREAL. */
function isSerialEm({ nint, nreal }: Pick<Fields, 'nint' | 'nreal'>): boolean {
  if (nint <= 0 || nreal <= 0 || nreal >= 1 << SERIALEM_ITEM_BYTES.length) return false;
  const bytes = SERIALEM_ITEM_BYTES.reduce((sum, itemBytes, bit) => sum + (nreal & (1 << bit) ? itemBytes : 0), 0);
  return bytes === nint;
}

/** More numbers for each section than this are not a record. */
const MOST_NUMBERS = 256;

/** True when a record for at least one section fits. */
function isAgard({ nint, nreal, nsymbt }: Fields): boolean {
  return nint >= 0 && nreal > 0 && nint + nreal <= MOST_NUMBERS && 4 * (nint + nreal) <= nsymbt;
}

function isSymmetry({ ispg, nsymbt }: Fields): boolean {
  return ispg >= 1 && nsymbt % SYMMETRY_BYTES === 0;
}
