/** MRC files that look like those of a microscope: particles in noise, and a header that agrees with the voxels. */
import { buildHeader } from '../packages/mrc/src/index.ts';
import { randomNumbers } from '../packages/mrc/src/samples/test-phantom.ts';

/** By mode: bytes of a voxel, how it is written, and mean and spread of the values. */
const MODES = {
  0: { bytes: 1, write: 'writeInt8', mean: 60, spread: 9 },
  2: { bytes: 4, write: 'writeFloatLE', mean: 0, spread: 1 },
  6: { bytes: 2, write: 'writeUInt16LE', mean: 1200, spread: 160 },
  12: { bytes: 2, write: null, mean: 0, spread: 1 },
};

/**
 * @param fields of the header; its statistics are added.
 * @param seed an integer: the same seed gives the same file.
 */
export function makeVolume(fields, seed) {
  const { nx, ny, nz, mode } = fields;
  const { bytes, write, mean, spread } = MODES[mode];
  const random = randomNumbers(seed);
  const isVolume = fields.ispg === 1;
  const densities = new Float32Array(nx * ny * nz).map(() => (random() + random() + random() - 1.5) * 1.2);
  const radius = Math.max(5, Math.min(nx, ny) / 14);
  const count = isVolume ? Math.round((nx * ny * nz) / (radius ** 3 * 40)) : 0;
  for (let index = 0; index < count; index++) {
    addParticle(densities, fields, [random() * nx, random() * ny, random() * nz], radius);
  }
  // Images and frames: the same particles in each, or one in the middle.
  const places = nx <= 64 ? [[nx / 2, ny / 2]] : Array.from({ length: 40 }, () => [random() * nx, random() * ny]);
  if (!isVolume) {
    for (let z = 0; z < nz; z++) for (const [x, y] of places) addParticle(densities, fields, [x, y, z], radius, 0);
  }

  const voxels = Buffer.alloc(densities.length * bytes);
  const view = new DataView(voxels.buffer, voxels.byteOffset, voxels.length);
  const stored = densities.map((density, at) => {
    const value = mean + spread * density;
    if (write === null) view.setFloat16(2 * at, value, true);
    else voxels[write](mode === 2 ? value : Math.round(value), at * bytes);
    return write === null ? view.getFloat16(2 * at, true) : mode === 2 ? value : Math.round(value);
  });
  return Buffer.concat([buildHeader({ ...fields, ...statisticsOf(stored) }), voxels]);
}

/** Adds a dark ball with a darker shell. @param depth of it in sections; 0: in one section only. */
function addParticle(densities, { nx, ny, nz }, [cx, cy, cz], radius, depth = radius) {
  for (let z = Math.max(0, Math.ceil(cz - depth)); z <= Math.min(nz - 1, cz + depth); z++) {
    for (let y = Math.max(0, Math.ceil(cy - radius)); y <= Math.min(ny - 1, cy + radius); y++) {
      for (let x = Math.max(0, Math.ceil(cx - radius)); x <= Math.min(nx - 1, cx + radius); x++) {
        const distance = Math.hypot(x - cx, y - cy, z - cz) / radius;
        if (distance > 1) continue;
        densities[x + nx * (y + ny * z)] -= 0.8 + 1.4 * Math.exp(-(((distance - 0.75) / 0.15) ** 2));
      }
    }
  }
}

function statisticsOf(values) {
  let [dmin, dmax, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const value of values) {
    dmin = Math.min(dmin, value);
    dmax = Math.max(dmax, value);
    sum += value;
  }
  const dmean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - dmean) ** 2;
  return { dmin, dmax, dmean, rms: Math.sqrt(squares / values.length) };
}
