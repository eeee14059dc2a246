/** A generated session of tilt series on a disk: movies, `.mdoc` files, gain references. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildHeader } from '@cryolift/mrc';

/** Movies of one tilt series. */
const TILTS = 40;
const [NX, NY, FRAMES] = [32, 24, 4];

export interface Session {
  /** Files of the whole session, with those that are missing at first. */
  readonly files: number;
  /** Paths in the folder: movies that an `.mdoc` file names and that are not there yet. */
  readonly missing: readonly string[];
  /** Two files with the same content, the first in order of paths. */
  readonly double: string;
  /** A reference with other dimensions than the movies. */
  readonly wrongGain: string;
  /** Writes the missing movies. @returns their paths on the disk. */
  readonly writeMissing: () => string[];
}

/**
 * Writes a session into `folder`: tilt series with a movie for each tilt, an `.mdoc` file for each series, the gain
 * reference that these name, and a second one of another size. Two movies are missing, and one is there twice.
 *
 * @param movies a multiple of 40, those that are missing counted.
 */
export function writeSession(folder: string, movies: number): Session {
  const names = Array.from({ length: movies }, (_, at) => `frames/m_${String(at).padStart(5, '0')}.mrc`);
  const missing = [names[13], names.at(-1)] as string[];
  const writeMovie = (name: string) => writeImage(join(folder, name), NX, NY, FRAMES, names.indexOf(name));
  mkdirSync(join(folder, 'frames/again'), { recursive: true });
  for (const name of names) if (!missing.includes(name)) writeMovie(name);
  const double = names[7] as string;
  copyFileSync(join(folder, double), join(folder, 'frames/again/copy.mrc'));
  writeImage(join(folder, 'gain.mrc'), NX, NY, 1, movies);
  writeImage(join(folder, 'gain_old.mrc'), NX + 1, NY, 1, movies + 1);
  for (let at = 0; at < movies; at += TILTS) {
    writeFileSync(join(folder, `TS_${at / TILTS}.mdoc`), makeMdoc(names.slice(at, at + TILTS)));
  }
  return {
    files: movies + movies / TILTS + 3,
    missing,
    double: 'frames/again/copy.mrc',
    wrongGain: 'gain_old.mrc',
    writeMissing: () => missing.map(writeMovie),
  };
}

/** @param fill makes the content differ from that of all others. @returns `path`. */
function writeImage(path: string, nx: number, ny: number, nz: number, fill: number): string {
  const voxels = Buffer.alloc(nx * ny * nz, fill % 200);
  voxels.writeUInt32LE(fill);
  writeFileSync(path, Buffer.concat([buildHeader({ nx, ny, nz, mode: 0 }), voxels]));
  return path;
}

/** As SerialEM writes it: https://bio3d.colorado.edu/SerialEM/hlp/html/about_formats.htm. */
function makeMdoc(names: readonly string[]): string {
  const sections = names.map(
    (name, at) =>
      `[ZValue = ${at}]\nTiltAngle = ${at * 3 - 60}\nExposureDose = 3\n` +
      `SubFramePath = X:\\session\\frames\\${basename(name)}\nGainReference = gain.mrc\n`,
  );
  return `PixelSpacing = 1.35\nVoltage = 300\n\n${sections.join('\n')}`;
}
