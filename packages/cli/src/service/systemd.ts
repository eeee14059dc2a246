/** A unit of systemd, for one user or for the system (systemd.service(5), systemd.exec(5)). */
import { posix } from 'node:path';
import { type Host, type ServiceChoice, type ServicePlan, serviceArguments } from './service.ts';

const UNIT = 'cryolift-watch.service';

/** Only what works without privileges: they need no namespaces. */
const RESTRICTIONS = `NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# No MemoryDenyWriteExecute: V8 makes machine code as it runs.
`;

/** The watched folders may be anywhere: nothing but the system itself is read-only. */
const SYSTEM_RESTRICTIONS = `ProtectSystem=full
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
KeyringMode=private
RemoveIPC=yes
`;

export function planSystemd(choice: ServiceChoice, host: Host): ServicePlan {
  const { scope, runAs, environment } = choice;
  const systemctl = scope === 'user' ? ['systemctl', '--user'] : ['systemctl'];
  const folder =
    scope === 'user'
      ? posix.join(host.env.XDG_CONFIG_HOME || posix.join(host.home, '.config'), 'systemd/user')
      : '/etc/systemd/system';
  const linger = `The service runs while ${host.user} is logged in. To run it always: loginctl enable-linger ${host.user}`;
  const asRoot = 'The service runs as root. --run-as USER gives it another user, who can read and move the files.';
  return {
    file: {
      path: posix.join(folder, UNIT),
      text: writeUnit(choice),
      encoding: 'utf8',
      // A proxy may have a password.
      mode: Object.keys(environment).length > 0 ? 0o600 : 0o644,
    },
    install: [
      { argv: [...systemctl, 'daemon-reload'] },
      { argv: [...systemctl, 'enable', UNIT] },
      { argv: [...systemctl, 'restart', UNIT] },
    ],
    uninstall: [{ argv: [...systemctl, 'disable', '--now', UNIT] }],
    afterwards: [{ argv: [...systemctl, 'daemon-reload'] }, { argv: [...systemctl, 'reset-failed', UNIT] }],
    query: null,
    hints: scope === 'user' ? [linger] : runAs === null ? [asRoot] : [],
  };
}

function writeUnit(choice: ServiceChoice): string {
  const { scope, program, runAs, environment } = choice;
  const [executable = '', ...words] = [...program, ...serviceArguments(choice)];
  // Variables are expanded in arguments, and not in the path of the program.
  const command = [quote(executable), ...words.map((word) => quote(word).replaceAll('$', '$$$$'))].join(' ');
  const variables = Object.entries(environment).map((pair) => `Environment=${quote(pair.join('='))}\n`);
  const unit = scope === 'system' ? 'Wants=network-online.target\nAfter=network-online.target remote-fs.target\n' : '';
  return `# Written by \`cryolift watch install\`, which replaces it. Changes belong into a drop-in: \`systemctl edit\`.
[Unit]
Description=Cryolift, uploads of watched folders
${unit}# It never gives up: the settings or the token may be corrected later.
StartLimitIntervalSec=0

[Service]
ExecStart=${command}
${variables.join('')}Restart=always
RestartSec=30
# What an interrupted command ends with.
SuccessExitStatus=130
TimeoutStopSec=15
${scope === 'system' ? systemLines(runAs) : ''}
${RESTRICTIONS}
[Install]
WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}
`;
}

function systemLines(runAs: string | null): string {
  const capabilities = runAs === null ? 'CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER' : '';
  return `${runAs === null ? '' : `User=${runAs}\n`}# Others may read the status and the log.
StateDirectory=cryolift-watch
StateDirectoryMode=0755

${SYSTEM_RESTRICTIONS}CapabilityBoundingSet=${capabilities}`;
}

/** In double quotes, with what systemd would expand doubled. */
function quote(word: string): string {
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}
