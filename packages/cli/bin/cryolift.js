#!/usr/bin/env node
/**
 * The `cryolift` command. The program needs Node 26; on an older one this file, which must run on Node 20, hands over to
 * the Node that npm put into the checkout and stands in for it: same arguments, streams, signals and exit code.
 */
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 26;
const FILE = fileURLToPath(import.meta.url);
const SHELL_CHECK_MS = 250;
/** Where npm puts it: a link, which npm 10 forgets, to one of the packages for this system. */
const PLACES = [
  '.bin/node',
  ...['node', 'node-bin'].map((name) => `${name}-${process.platform}-${process.arch}/bin/node`),
];

/**
 * What the server runs with: a small young generation, because the chunks that Node's HTTP parser hands out live outside of
 * V8's heap and are freed only when it collects (docs/decisions/0018); sources without their types, kept for the next start.
 */
const SERVE_FLAGS = ['--max-semi-space-size=1'];
const SERVE_ENV = { ...process.env, NODE_COMPILE_CACHE: join(dirname(FILE), '..', '.cache') };
const serving = process.argv[2] === 'serve';

if (majorOf(process.version) >= NODE_MAJOR) {
  const prepared = process.execArgv.includes(SERVE_FLAGS[0]);
  // The same process, begun anew: nobody who watches it can tell, but one that holds an ipc channel to it.
  if (serving && !prepared && !process.channel && process.execve)
    process.execve(process.execPath, [process.execPath, ...argumentsOf()], SERVE_ENV);
  if (process.env.npm_command === 'exec') endWithShell(process.ppid);
  if (process.channel) endWithParent();
  const [{ runCommandLine }, server] = await Promise.all([import('../src/main.ts'), loadServerCommands()]);
  await runCommandLine(process.argv, server);
} else {
  if (process.env.npm_command === 'exec') endWithShell(process.ppid);
  const node = findNode();
  if (node) {
    relay(node);
  } else {
    console.error(
      `cryolift: needs Node ${NODE_MAJOR} or newer, this is ${process.version}: run \`npm run setup\` in the checkout, which brings it.`,
    );
    process.exitCode = 1;
  }
}

/** @returns null where the package of the server is not installed. What is wrong within that package is thrown. */
async function loadServerCommands() {
  try {
    import.meta.resolve('@cryolift/server/commands');
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
  return (await import('@cryolift/server/commands')).serverCommands;
}

/** `npx` runs us below a shell and sends its signals to that one, which dies of them and tells nobody. */
function endWithShell(shell) {
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, SHELL_CHECK_MS).unref();
}

/** Even a parent killed with -9 closes its channel; a relayed program must not live on unseen. */
function endWithParent() {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel.unref();
}

/** The nearest Node that is new enough and runs, going up from here; null when there is none. */
function findNode() {
  for (let folder = dirname(FILE); ; folder = dirname(folder)) {
    const nodes = PLACES.map((place) => join(folder, 'node_modules', place));
    const node = nodes.find(
      (each) => majorOf(spawnSync(each, ['--version'], { encoding: 'utf8' }).stdout) >= NODE_MAJOR,
    );
    if (node) return node;
    if (folder === dirname(folder)) return null;
  }
}

function argumentsOf() {
  return [...(serving ? SERVE_FLAGS : []), ...process.execArgv, FILE, ...process.argv.slice(2)];
}

function relay(node) {
  const env = serving ? SERVE_ENV : process.env;
  const child = spawn(node, argumentsOf(), { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // A terminal sends Ctrl-C to both; a second one would end a graceful stop.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function majorOf(version) {
  return Number(/^v(\d+)/.exec(version ?? '')?.[1] ?? 0);
}
