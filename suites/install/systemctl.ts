/**
 * In place of `systemctl`, where no systemd runs: does with a unit what systemd does with these keys of it. WorkingDirectory,
 * EnvironmentFile, User, Group, UMask, CapabilityBoundingSet and NoNewPrivileges hold for ExecStart; ExecReload gets $MAINPID.
 */
import { spawn, spawnSync } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { parseEnvironment, parseUnit } from './unit.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const [verb = '', ...names] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const name = names[0] ?? '';
const pidFile = `/run/${name}.pid`;

if (verb === 'daemon-reload' && names.length === 0) process.exit(0);
const unit = parseUnit(readFileSync(`/etc/systemd/system/${name}.service`, 'utf8'));
if (verb === 'enable') start();
else if (verb === 'restart') {
  stop();
  start();
} else if (verb === 'disable') stop();
else if (verb === 'reload') run(one('ExecReload').replaceAll('$MAINPID', readFileSync(pidFile, 'utf8')));
else if (verb === 'stop') stop();
else throw new Error(`systemctl ${verb} is not known here`);

function one(key: string): string {
  const value = unit.get(key)?.at(-1);
  if (value === undefined) throw new Error(`the unit has no ${key}`);
  return value;
}

/** Returns when the process has ended. */
function stop(): void {
  const pid = readFileSync(pidFile, 'utf8');
  process.kill(Number(pid), 'SIGTERM');
  // The first process of a sandbox does not reap others: an ended one stays as a zombie.
  const isThere = () => spawnSync('sh', ['-c', `grep -q '^State:.[^Z]' /proc/${pid}/status`]).status === 0;
  while (isThere()) spawnSync('sleep', ['0.05']);
}

function start(): void {
  const variables = parseEnvironment(readFileSync(one('EnvironmentFile'), 'utf8'));
  const as = [
    '--reuid',
    one('User'),
    '--regid',
    one('Group'),
    '--init-groups',
    '--inh-caps=-all',
    '--bounding-set=-all',
  ];
  const command = one('ExecStart').split(' ');
  const journal = openSync(`/run/${name}.log`, 'w');
  process.umask(Number.parseInt(one('UMask'), 8));
  const child = spawn('setpriv', [...as, '--no-new-privs', ...command], {
    cwd: one('WorkingDirectory'),
    env: { PATH, USER: one('User'), ...variables },
    stdio: ['ignore', journal, journal],
    detached: true,
  });
  writeFileSync(pidFile, String(child.pid));
  child.unref();
}

function run(command: string): void {
  const [program = '', ...args] = command.split(' ');
  const { status } = spawnSync(program, args, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
