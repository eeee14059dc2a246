/** `cryolift download` as a person runs it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import type { Target } from '../server-under-test.ts';

/** @param target the path of the file. @returns the exit code and what it printed. */
export async function downloadBy(server: Target, owner: string, fileId: string, target: string) {
  const { PATH = '' } = process.env;
  const env = {
    PATH,
    HOME: dirname(target),
    CRYOLIFT_SERVER: server.url,
    CRYOLIFT_TOKEN: server.token({ sub: owner }),
  };
  const args = [BIN, 'download', fileId, '-o', target];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code: code as number | null, stderr };
}
