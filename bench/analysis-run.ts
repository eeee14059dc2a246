/** Analyzes one file: the child process of analysis.ts, for separate memory figures. Prints seconds and bytes as JSON. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import {
  collectedPicture,
  decideKind,
  encodePng,
  layoutOf,
  MRC_HEADER_BYTES,
  parseHeader,
  renderPreview,
  VoxelAnalysis,
  type VoxelSource,
} from '@cryolift/mrc';
import { MIB } from '@cryolift/protocol/plan';

const CHUNK_BYTES = MIB;
const path = process.argv[2] ?? '';
const began = performance.now();
const fd = openSync(path, 'r');
const sizeBytes = fstatSync(fd).size;
const source: VoxelSource = {
  async read(offsetBytes, target) {
    if (readSync(fd, target, 0, target.length, offsetBytes) !== target.length) throw new Error('the file is too short');
  },
};
const head = new Uint8Array(MRC_HEADER_BYTES);
await source.read(0, head);
const header = parseHeader(head, sizeBytes);
const layout = layoutOf(header, sizeBytes);
if (!layout) throw new Error('no layout');
const pass = new VoxelAnalysis(layout, decideKind(header, path).kind);
const chunk = new Uint8Array(CHUNK_BYTES);
for (let at = 0; at < sizeBytes; at += chunk.length) {
  const bytes = chunk.subarray(0, Math.min(chunk.length, sizeBytes - at));
  await source.read(at, bytes);
  pass.add(at, bytes);
}
pass.statistics();
for (const axis of ['x', 'y', 'z'] as const) {
  const request = { kind: 'section', axis, slice: null, sizePx: 512, contrast: 'sigma' } as const;
  const picture = collectedPicture(pass, layout, request);
  if (!picture) throw new Error('no section');
  await encodePng(picture);
}
const request = { kind: 'spectrum', axis: 'z', slice: null, sizePx: 512, contrast: 'sigma' } as const;
const outcome = await renderPreview(source, header, layout, request);
if (outcome.kind !== 'picture') throw new Error(outcome.message);
await encodePng(outcome.picture);
closeSync(fd);
const seconds = (performance.now() - began) / 1000;
console.log(JSON.stringify({ seconds, residentBytes: process.resourceUsage().maxRSS * 1024 }));
