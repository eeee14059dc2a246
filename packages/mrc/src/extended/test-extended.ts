/** Extended headers as programs write them, for tests. */

/** Bits of the two masks: those of real files of EPU. */
const MASK_1 = 0xffffcfff;
const MASK_2 = 0x0fffffaf;

export interface FeiRecord {
  readonly tilt: number;
  /** Å. */
  readonly pixel?: number;
  readonly version?: string;
  readonly mask?: number;
  readonly bytes?: number;
}

/** Records of FEI1 (768 bytes) or FEI2 (888). */
export function feiRecords(records: readonly FeiRecord[], isLittle = true): Uint8Array {
  const parts = records.map(({ tilt, pixel = 1.5, version = '3.1', mask = MASK_1, bytes = 768 }) => {
    const record = new Uint8Array(bytes >= 768 && bytes <= 4096 ? bytes : 768);
    const view = new DataView(record.buffer);
    const text = (at: number, value: string) => record.set(new TextEncoder().encode(value), at);
    view.setInt32(0, bytes, isLittle);
    view.setUint32(8, mask, true);
    view.setUint32(297, MASK_2, true);
    text(20, 'TITAN52336320');
    text(52, 'Fei EPU');
    text(68, version);
    text(435, 'BM-Falcon');
    for (const [at, value] of [
      [84, 300_000],
      [92, 4.5e21],
      [100, tilt],
      [140, 85],
      [156, pixel * 1e-10],
      [164, pixel * 1e-10],
      [220, -2.5e-6],
      [289, 105_000],
      [355, 20],
      [419, 1.25],
    ] as const) {
      view.setFloat64(at, value, isLittle);
    }
    return record;
  });
  return join(parts);
}

/** Records in Agard's format: the given floats for each section, filled up to 32. */
export function agardRecords(records: readonly (readonly number[])[], isLittle = true): Uint8Array {
  return join(
    records.map((floats) => {
      const record = new Uint8Array(128);
      const view = new DataView(record.buffer);
      floats.forEach((value, index) => {
        view.setFloat32(4 * index, value, isLittle);
      });
      return record;
    }),
  );
}

/** Short integers, such as the records of SerialEM. */
export function shorts(values: readonly number[], isLittle = true): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    view.setInt16(2 * index, value, isLittle);
  });
  return bytes;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
