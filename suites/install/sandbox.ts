/**
 * A system for the commands of a guide: /etc, /opt, /srv, /usr/local and /run of its own, which are gone with the process,
 * and no network but loopback. `systemctl` is the one program that is not real (systemctl.ts).
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SYSTEMCTL = fileURLToPath(new URL('systemctl.ts', import.meta.url));
const OWN_SYSTEM = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
const FOLDERS = ['etc', 'opt', 'srv', 'usr/local'];

/** What a script for bash begins with. `wait_for TEXT` waits until the server has printed it. */
export const PREPARATION = `
set -eu
mount -t tmpfs tmpfs /run
for folder in ${FOLDERS.join(' ')}; do
  mkdir -p /run/upper/$folder /run/work/$folder /$folder
  mount -t overlay overlay -o lowerdir=/$folder,upperdir=/run/upper/$folder,workdir=/run/work/$folder /$folder
done
mkdir -p /run/bin /etc/systemd/system
cat > /run/bin/systemctl <<'END'
#!/bin/sh
exec '${process.execPath}' '${SYSTEMCTL}' "$@"
END
chmod 755 /run/bin/systemctl
ip link set lo up
export PATH=/run/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset CRYOLIFT_TOKEN
wait_for() { for try in $(seq 600); do grep -q "$1" /run/cryolift.log && return; sleep 0.1; done; cat /run/cryolift.log; exit 1; }
`;

/** @returns why there can be none here; null: there can. */
export function whyNoSandbox(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can follow the guide';
  const { status, stderr } = spawnSync('unshare', [...OWN_SYSTEM, 'mount', '-t', 'tmpfs', 'tmpfs', '/run'], {
    encoding: 'utf8',
  });
  return status === 0 ? null : `no namespaces here: ${stderr}`;
}

/** Runs a script for bash. Nothing that it has started outlives it. @param timeoutMs after which it is ended. */
export function followScript(path: string, cwd?: string, timeoutMs?: number): SpawnSyncReturns<string> {
  const { PATH: _, NODE_ENV: __, ...others } = process.env;
  const env = Object.fromEntries(Object.entries(others).filter(([name]) => !/^(npm_|CRYOLIFT_)/.test(name)));
  return spawnSync('/usr/bin/unshare', [...OWN_SYSTEM, 'bash', path], {
    env: { ...env, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    encoding: 'utf8',
    ...(cwd === undefined ? {} : { cwd }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: 'SIGKILL' as const }),
  });
}
