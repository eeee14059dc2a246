import { extendedLayout } from '../extended/layout.ts';
import { count, type Finding, type NoteCode } from '../finding.ts';
import { hasMapId, type MrcHeader } from '../header/header.ts';
import { declaresMrc2014, statisticsOf } from '../header/meaning.ts';

type Note = Finding<NoteCode>;

const EXTENDED_TYPES: readonly string[] = ['CCP4', 'MRCO', 'SERI', 'AGAR', 'FEI1', 'FEI2', 'HDF5'];

/** Harmless deviations of a readable header from MRC2014. */
export function listNotes(header: MrcHeader): Note[] {
  return [
    ...noteMapPadding(header),
    ...noteVersion(header),
    ...noteCell(header),
    ...noteExtendedType(header),
    ...noteLabels(header),
    ...noteStatistics(header),
  ];
}

function noteMapPadding(header: MrcHeader): Note[] {
  if (!hasMapId(header) || header.map === 'MAP ') return [];
  return [
    { code: 'map_id_padding', message: 'The identifier MAP does not end in a space. All programs known accept it.' },
  ];
}

function noteVersion(header: MrcHeader): Note[] {
  if (declaresMrc2014(header)) return [];
  const message = `NVERSION is ${header.nversion}, so the file does not say that it follows MRC2014 (20140 or 20141). Most do not.`;
  return [{ code: 'version_undeclared', message }];
}

/** Angles that are no more than rounded away from 90° are right angles. */
const ANGLE_TOLERANCE = 0.01;

/** Many programs leave the angles at 0. */
function noteCell({ cellb }: MrcHeader): Note[] {
  const isGiven = cellb.every((angle) => angle > 0 && angle < 180);
  if (!isGiven || cellb.every((angle) => Math.abs(angle - 90) <= ANGLE_TOLERANCE)) return [];
  const angles = cellb.map((angle) => Number(angle.toPrecision(7))).join('°, ');
  const message = `The cell is not orthogonal: CELLB is ${angles}°. Pictures show its sections as rectangles.`;
  return [{ code: 'cell_not_orthogonal', message }];
}

function noteExtendedType(header: MrcHeader): Note[] {
  const { nsymbt, exttyp } = header;
  if (nsymbt <= 0 || EXTENDED_TYPES.includes(exttyp) || extendedLayout(header) !== null) return [];
  const message =
    `EXTTYP is none of ${EXTENDED_TYPES.join(', ')}, so it is not known what the ${count(nsymbt)} bytes of ` +
    'extended header mean. They are kept unchanged.';
  return [{ code: 'extended_type_unknown', message }];
}

function noteLabels({ label, nlabl }: MrcHeader): Note[] {
  const filled = label.filter((text) => text !== '').length;
  const isContiguous = label.slice(0, filled).every((text) => text !== '');
  if (filled === nlabl && isContiguous) return [];
  const message = isContiguous
    ? `NLABL is ${nlabl}, and ${filled} labels contain text.`
    : `Empty labels stand between the ${filled} that contain text (NLABL is ${nlabl}).`;
  return [{ code: 'labels', message }];
}

function noteStatistics(header: MrcHeader): Note[] {
  const { min, max, mean, rms } = statisticsOf(header);
  const read = `DMIN ${header.dmin}, DMAX ${header.dmax}, DMEAN ${header.dmean}, RMS ${header.rms}`;
  const undetermined = Object.entries({ 'DMIN and DMAX': min, DMEAN: mean, RMS: rms })
    .filter(([, value]) => value === null)
    .map(([name]) => name);
  if (undetermined.length > 0) {
    const message = `The header leaves ${undetermined.join(', ')} undetermined (it reads ${read}).`;
    return [{ code: 'statistics', message }];
  }
  if (rms === 0 && min !== max) {
    const message = `RMS is 0 although the values differ, so it was not computed, as in MotionCor2's files (the header reads ${read}).`;
    return [{ code: 'statistics', message }];
  }
  return [];
}
