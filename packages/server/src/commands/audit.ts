/** `cryolift audit`: prints the audit of the server on this machine. The server need not run. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describeSystemError } from '@cryolift/client/node';
import { EXIT, type ExitCode, UsageError } from 'cryolift/exit';
import { Output } from 'cryolift/output';

export interface AuditFlags {
  json?: boolean;
  /** Seconds. */
  since?: number;
  dataDir?: string;
}

/** The fields of an audit line that are shown to people. */
interface Line {
  readonly time: string;
  readonly subject: string | null;
  readonly link_id?: string;
  readonly key_id?: string;
  readonly address: string;
  readonly action: string;
  readonly upload_id?: string;
  readonly file_id?: string;
  readonly seq?: string;
  readonly owner?: string;
  readonly outcome: string;
  readonly code?: string;
  readonly omitted?: number;
}

export async function showAudit({ json, since, dataDir }: AuditFlags): Promise<ExitCode> {
  const folder = join(dataDir ?? (process.env.CRYOLIFT_DATA_DIR || 'cryolift-data'), 'audit');
  const output = new Output(json);
  const from = since === undefined ? '' : new Date(Date.now() - since * 1000).toISOString();
  for (const name of (await listMonths(folder)).filter((month) => month >= from.slice(0, 7))) {
    for await (const text of createInterface({ input: createReadStream(join(folder, name)), crlfDelay: Infinity })) {
      const line = parse(text);
      if (!line || line.time < from) continue;
      output.result(line, () => describe(line));
      await output.drained();
    }
  }
  return EXIT.done;
}

async function listMonths(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new UsageError(`${folder}: ${describeSystemError(error)}; give the --data-dir of the server`);
  });
  return names.filter((name) => /^\d{4}-\d{2}(_\d{4})?\.jsonl$/.test(name)).sort();
}

/** @returns null for a line that a crash has cut off. */
function parse(text: string): Line | null {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}

/** `2026-11-23 05:28:56  ok       file.read        ada  10.0.0.7  files/01M8…` */
function describe(line: Line): string {
  const { time, outcome, action, subject, address, code, link_id, key_id, upload_id, file_id, seq, owner, omitted } =
    line;
  const named = { link: link_id, key: key_id, upload: upload_id, file: file_id, delivery: seq, owner, code };
  return [
    time.slice(0, 19).replace('T', ' '),
    outcome.padEnd(7),
    action.padEnd(16),
    subject ?? '–',
    address,
    ...Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`])),
    ...(omitted === undefined ? [] : [`and ${omitted} more`]),
  ].join('  ');
}
