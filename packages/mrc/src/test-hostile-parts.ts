/** Damaged and malicious extended headers and `.mdoc` files, and functions that use them in every way. */
import * as fc from 'fast-check';
import { checkMrc } from './check/check.ts';
import { describeAcquisition, describeExtent, describeTilts } from './check/describe.ts';
import { completeSummary } from './check/summary.ts';
import { describeMrc } from './extended/description.ts';
import { agardRecords, feiRecords, shorts } from './extended/test-extended.ts';
import { parseHeader } from './header/header.ts';
import { listWords } from './header/words.ts';
import { buildHeader } from './header/writer.ts';
import { decodeMdoc, parseMdoc } from './mdoc/mdoc.ts';
import { namesInMdoc } from './mdoc/named-files.ts';
import { summariseMdoc } from './mdoc/summary.ts';
import { sourceOf } from './samples/test-phantom.ts';

const MAX_INT = 2 ** 31 - 1;
const short = fc.integer({ min: -32_768, max: 32_767 });
const value = fc.oneof(fc.double(), fc.constantFrom(0, -1, 1e300, Number.NaN, Number.NEGATIVE_INFINITY));

const records = fc.oneof(
  fc
    .array(
      fc.record({
        tilt: value,
        pixel: value,
        version: fc.constantFrom('3.1', '4.4.0.4981', ''),
        mask: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        bytes: fc.constantFrom(768, 888, 768, 0, -1, 769, MAX_INT, -MAX_INT),
      }),
      { maxLength: 5 },
    )
    .map((all) => feiRecords(all)),
  fc.array(fc.array(value, { maxLength: 32 }), { maxLength: 5 }).map((all) => agardRecords(all)),
  fc.array(short, { maxLength: 60 }).map((all) => shorts(all)),
  fc.uint8Array({ maxLength: 2_000 }),
);

/** A file with an extended header; its declared size and its fields need not fit. */
export const hostileExtended: fc.Arbitrary<Uint8Array> = fc
  .record({
    records,
    nz: fc.constantFrom(1, 2, 5, 41, MAX_INT),
    exttyp: fc.constantFrom('FEI1', 'FEI2', 'SERI', 'AGAR', 'CCP4', '\0\0\0\0', '    ', 'WHAT'),
    nint: fc.oneof(fc.constantFrom(0, 2, 8, 20), short),
    nreal: fc.oneof(fc.constantFrom(1, 32, 3, 63), short),
    nsymbt: fc.oneof(fc.constant(null), fc.constantFrom(-1, 0, 160, 1_000, MAX_INT)),
    ispg: fc.constantFrom(0, 1, 4, 401),
    byteOrder: fc.constantFrom('little' as const, 'big' as const),
    junk: fc.array(fc.tuple(fc.nat(3_000), fc.nat(255)), { maxLength: 6 }),
  })
  .map(({ records: extended, nsymbt, junk, ...fields }) => {
    const header = buildHeader({ nx: 4, ny: 4, mode: 0, ...fields, nsymbt: nsymbt ?? extended.length });
    const bytes = new Uint8Array(1024 + extended.length + 80);
    bytes.set(header);
    bytes.set(extended, 1024);
    for (const [at, byte] of junk) if (at < bytes.length) bytes[at] = byte;
    return bytes;
  });

/** Uses a file in every way that Cryolift does. @throws Error when this package has a fault. */
export async function useExtended(bytes: Uint8Array): Promise<void> {
  const header = parseHeader(bytes, bytes.length);
  listWords(bytes, header.byteOrder);
  const description = await describeMrc(sourceOf(bytes), header, { sizeBytes: bytes.length, filename: 'a.mrc' });
  const check = checkMrc({ header: bytes, sizeBytes: bytes.length, filename: 'a.mrc' });
  if (check.verdict === 'header_incomplete' || !check.mrc) return;
  const summary = completeSummary(check.mrc, description);
  describeExtent(summary);
  if (summary.tilts) describeTilts(summary.tilts);
  if (summary.acquisition) describeAcquisition(summary.acquisition);
  assertJson(summary);
}

const mdocLine = fc.oneof(
  fc.constantFrom('', '[ZValue = 0]', '[ZValue = 1]', '[FrameSet = 0]', '[T = x]', '[MontSection = 2]', '[', ']', '='),
  fc
    .tuple(
      fc.constantFrom(
        'TiltAngle',
        'ExposureDose',
        'PriorRecordDose',
        'Defocus',
        'PixelSpacing',
        'ImageSize',
        'DateTime',
        'SubFramePath',
        'ImageFile',
        'RotationAngle',
        '__proto__',
        'toString',
      ),
      fc.oneof(fc.string(), value.map(String), fc.constantFrom('24-Oct-21 17:00:00', 'X:\\a\\b.eer', '1 2', '-')),
    )
    .map(([key, text]) => `${key} = ${text}`),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(`[${' '.repeat(1_990)}x`, '[ZValue = '.repeat(1_000), ` ${'\t'.repeat(50_000)}=`, 'a'.repeat(20_000)),
);

export const hostileMdoc: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.array(mdocLine, { maxLength: 60 }).map((lines) => new TextEncoder().encode(lines.join('\n'))),
  fc.uint8Array({ maxLength: 500 }),
);

/** @throws Error when this package has a fault. */
export function useMdoc(bytes: Uint8Array): void {
  assertJson(summariseMdoc(parseMdoc(decodeMdoc(bytes))));
  assertJson(namesInMdoc(decodeMdoc(bytes)));
}

/** JSON turns NaN and undefined into something else. */
function assertJson(found: object): void {
  const text = JSON.stringify(found, (_, each: unknown) => {
    if (typeof each === 'number' && !Number.isFinite(each)) throw new Error(`a number is ${each}`);
    return each;
  });
  if (text.length > 1_000_000) throw new Error(`${text.length} characters`);
}
