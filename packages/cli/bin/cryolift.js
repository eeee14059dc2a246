#!/usr/bin/env node
/**
 * The `cryolift` command. The program needs Node 26; on an older one this file, which must run on Node 20, starts the
 * Node that npm installed in the checkout, with the same arguments, streams, signals and exit code.
 */
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 26;
const FILE = fileURLToPath(import.meta.url);
const SHELL_CHECK_MS = 250;
/** Where npm installs it: a link to one of the packages for this system. npm 10 may omit the link. */
const PLACES = [
  '.bin/node',
  ...['node', 'node-bin'].map((name) => `${name}-${process.platform}-${process.arch}/bin/node`),
];

/**
 * Flags of the server: a small young generation, because the chunks of Node's HTTP parser are stored outside of
 * V8's heap and are freed only when it collects (docs/decisions/0018); sources without their types, kept for the next start.
 */
const SERVE_FLAGS = ['--max-semi-space-size=1'];
/** Two more than the server uses for files, so that a disk that does not answer does not stop what needs none (docs/decisions/0095). */
const POOL_THREADS = '6';
const serving = process.argv[2] === 'serve';
// Read when the first thread is needed.
if (serving) process.env.UV_THREADPOOL_SIZE ??= POOL_THREADS;
const SERVE_ENV = { ...process.env, NODE_COMPILE_CACHE: join(dirname(FILE), '..', '.cache') };

if (majorOf(process.version) >= NODE_MAJOR) {
  const prepared = process.execArgv.includes(SERVE_FLAGS[0]);
  // Replaces the program within the same process. Only a parent with an IPC channel to it notices.
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
      `cryolift: needs Node ${NODE_MAJOR} or newer, this is ${process.version}: run \`npm run setup\` in the checkout to install it.`,
    );
    process.exitCode = 1;
  }
}

/** @returns null when the package of the server is not installed. @throws every other error of loading it. */
async function loadServerCommands() {
  try {
    import.meta.resolve('@cryolift/server/commands');
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
  return (await import('@cryolift/server/commands')).serverCommands;
}

/** `npx` runs this below a shell and signals only the shell, which exits without passing the signal on. */
function endWithShell(shell) {
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, SHELL_CHECK_MS).unref();
}

/** The channel also closes when the parent is killed with SIGKILL; the child must not outlive it. */
function endWithParent() {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel.unref();
}

/** The nearest Node in this or a parent folder that is new enough and runs; null when there is none. */
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
  // A terminal sends Ctrl-C to both processes; a second signal would end a graceful stop.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function majorOf(version) {
  return Number(/^v(\d+)/.exec(version ?? '')?.[1] ?? 0);
}
