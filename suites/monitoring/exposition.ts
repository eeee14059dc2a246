/** What a server's /metrics says, taken apart. */
import assert from 'node:assert/strict';
import { type Call, callWith } from '../contract/wire.ts';
import type { Target } from '../server-under-test.ts';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export async function readSamples(target: Target): Promise<Sample[]> {
  const call: Call = callWith(target, {});
  const answer = await call('GET', '/metrics');
  assert.equal(answer.status, 200, answer.body.toString());
  const lines = answer.body.toString().split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map(parseSample);
}

/** The sum of all samples with this name and these labels; null when there is none. */
export function sumOf(samples: readonly Sample[], name: string, labels: Sample['labels'] = {}): number | null {
  const found = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.length === 0 ? null : found.reduce((sum, { value }) => sum + value, 0);
}

function parseSample(line: string): Sample {
  const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? assert.fail(`no sample: ${line}`);
  const pairs = [...labels.matchAll(LABEL)].map(([, label = '', text = '']) => [label, text] as const);
  return { name, labels: Object.fromEntries(pairs), value: Number(value) };
}
