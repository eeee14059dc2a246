/** `cryolift doctor`: checks this machine, the network and the server, and says how to fix problems. */
import { styleText } from 'node:util';
import { defaultStateFolder } from '@cryolift/client/node';
import { type ConnectionOptions, open } from '../connection/connection.ts';
import { diagnose } from '../doctor/diagnose.ts';
import type { Finding } from '../doctor/finding.ts';
import { TOKEN_CHECKS } from '../doctor/token.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';

/** A refusal that takes longer than this counts as buffered by a proxy. */
const RETRY_FOR_MS = 3_000;

interface DoctorFlags extends ConnectionOptions {
  json?: boolean;
  /** Bytes. */
  room?: number;
  /** Seconds. */
  slow?: number;
}

export async function examine({ json, room, slow, ...connection }: DoctorFlags): Promise<ExitCode> {
  const { server, proxy, getToken, isRenewing } = open(connection, 'uploads:write');
  const output = new Output(json);
  const signal = interruptible();
  const known = { server, proxy, getToken, isRenewing };
  const patient = { ...known, stateFolder: defaultStateFolder(), retryForMs: RETRY_FOR_MS };
  const findings: Finding[] = [];
  output.note(`checking ${server} …`);
  for await (const finding of diagnose(
    { ...patient, neededSpaceBytes: room ?? null, slowSeconds: slow ?? null },
    signal,
  )) {
    findings.push(finding);
    output.result(finding, () => describe(finding), signOf(finding));
  }
  return conclude(findings);
}

function conclude(findings: readonly Finding[]): ExitCode {
  const failed = findings.filter(({ outcome }) => outcome === 'fail');
  if (failed.some(({ check }) => TOKEN_CHECKS.includes(check))) return EXIT.unauthorised;
  return failed.length > 0 ? EXIT.failed : EXIT.done;
}

const SIGNS = { ok: ['✓', 'green'], warn: ['!', 'yellow'], fail: ['✗', 'red'] } as const;
const NAME_WIDTH = 'state folder'.length;

/** Colours only on a terminal, and not with NO_COLOR. */
function signOf({ outcome }: Finding): string {
  const [sign, colour] = SIGNS[outcome];
  return `${styleText(colour, sign, { stream: process.stdout })} `;
}

function describe({ check, found, mend }: Finding): string[] {
  const line = `${check.replaceAll('_', ' ').padEnd(NAME_WIDTH)}  ${found}`;
  return mend === null ? [line] : [line, `${' '.repeat(NAME_WIDTH + 4)}→ ${mend}`];
}
