/** An agent of a user or a daemon of the system under launchd (launchd.plist(5), launchctl(1)). */
import { posix } from 'node:path';
import { type Host, type ServiceChoice, type ServicePlan, serviceArguments } from './service.ts';
import { escapeXml } from './xml.ts';

const LABEL = 'org.cryolift.watch';
/** `bootstrap` fails with EIO while the service of before ends. */
const TRIES = 20;
const PRIVACY =
  'macOS asks before programs read Desktop, Documents, Downloads or other volumes: allow the program under System Settings, Privacy & Security, Full Disk Access.';

export function planLaunchd(choice: ServiceChoice, host: Host): ServicePlan {
  const isUser = choice.scope === 'user';
  const domain = isUser ? `gui/${host.uid}` : 'system';
  const folder = isUser ? posix.join(host.home, 'Library/LaunchAgents') : '/Library/LaunchDaemons';
  const path = posix.join(folder, `${LABEL}.plist`);
  const end = { argv: ['launchctl', 'bootout', `${domain}/${LABEL}`], mayFail: true };
  return {
    // launchd refuses a file that others can write.
    file: { path, text: writePlist(choice), encoding: 'utf8', mode: 0o600 },
    install: [
      end,
      { argv: ['launchctl', 'enable', `${domain}/${LABEL}`] },
      { argv: ['launchctl', 'bootstrap', domain, path], tries: TRIES },
    ],
    uninstall: [end],
    afterwards: [],
    query: null,
    hints: isUser ? [PRIVACY, 'The service runs while this user is logged in; --system runs it always.'] : [PRIVACY],
  };
}

function writePlist(choice: ServiceChoice): string {
  const words = [...choice.program, ...serviceArguments(choice)].map(
    (word) => `    <string>${escapeXml(word)}</string>`,
  );
  const variables = Object.entries(choice.environment).map(
    ([name, value]) => `    <key>${escapeXml(name)}</key>\n    <string>${escapeXml(value)}</string>`,
  );
  const environment =
    variables.length === 0 ? '' : `  <key>EnvironmentVariables</key>\n  <dict>\n${variables.join('\n')}\n  </dict>\n`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${words.join('\n')}
  </array>
${environment}  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>ThrottleInterval</key>
  <integer>30</integer>
  <key>ExitTimeOut</key>
  <integer>15</integer>
</dict>
</plist>
`;
}
