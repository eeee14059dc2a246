/** A task of the Windows task scheduler ([MS-TSCH], Task Scheduler Schema). */
import { win32 } from 'node:path';
import { type Host, type ServiceChoice, type ServicePlan, serviceArguments } from './service.ts';
import { escapeXml } from './xml.ts';

const SYSTEM = '*S-1-5-18';
const ADMINISTRATORS = '*S-1-5-32-544';
const USERS = '*S-1-5-32-545';

export function planSchtasks(choice: ServiceChoice, host: Host): ServicePlan {
  const isSystem = choice.scope === 'system';
  const name = isSystem ? 'Cryolift watch' : `Cryolift watch (${host.user})`;
  const path = win32.join(host.stateRoot, 'watch', 'task.xml');
  const task = (verb: string, ...more: string[]) => ['schtasks', verb, '/TN', name, ...more];
  return {
    // The scheduler wants UTF-16 with a byte order mark.
    file: { path, text: `\ufeff${writeTask(choice, host).replaceAll('\n', '\r\n')}`, encoding: 'utf16le', mode: 0o600 },
    install: [
      ...(isSystem ? protectFolder(host.stateRoot) : []),
      { argv: task('/End'), mayFail: true },
      { argv: task('/Create', '/XML', path, '/F') },
      { argv: task('/Run') },
    ],
    uninstall: [{ argv: task('/End'), mayFail: true }, { argv: task('/Delete', '/F') }],
    afterwards: [],
    query: { argv: task('/Query') },
    hints: isSystem ? [SYSTEM_SHARES, SYSTEM_PROGRAM] : [USER_WINDOW],
  };
}

const SYSTEM_SHARES =
  'The task runs as SYSTEM, which reaches network shares as the computer account, and has no drive letters of users: give folders on shares as \\\\server\\share.';
const SYSTEM_PROGRAM =
  'Keep the program where only administrators can write, such as C:\\Program Files\\Cryolift: the task runs it as SYSTEM.';
const USER_WINDOW =
  'The task runs while this user is logged in, with a window; closing it ends the watch for up to 5 minutes. --system runs it without a window, also when nobody is logged in.';

/** Everybody may create files in a new folder of %PROGRAMDATA%: settings of others must not be read as SYSTEM. */
function protectFolder(root: string): { argv: string[]; mayFail?: boolean }[] {
  const full = (who: string) => `${who}:(OI)(CI)F`;
  return [
    { argv: ['icacls', root, '/setowner', ADMINISTRATORS, '/T', '/C', '/Q'] },
    { argv: ['icacls', root, '/inheritance:r', '/grant:r', full(SYSTEM), full(ADMINISTRATORS), '/Q'] },
    { argv: ['icacls', win32.join(root, '*'), '/reset', '/T', '/C', '/Q'], mayFail: true },
    // The status and the log, for every user of the machine.
    { argv: ['icacls', win32.join(root, 'watch'), '/grant:r', `${USERS}:(OI)(CI)RX`, '/Q'] },
  ];
}

/**
 * The repeated trigger starts the task again when its process has ended in any way: RestartOnFailure holds only for a
 * task that cannot be started.
 */
function writeTask(choice: ServiceChoice, { user, env }: Host): string {
  const { program, scope } = choice;
  const [command = '', ...first] = program;
  const words = [...first, ...serviceArguments(choice)].map(quoteWord).join(' ');
  const isSystem = scope === 'system';
  const account = escapeXml(env.USERDOMAIN ? `${env.USERDOMAIN}\\${user}` : user);
  const trigger = isSystem ? 'BootTrigger' : 'LogonTrigger';
  const principal = isSystem
    ? '<UserId>S-1-5-18</UserId>\n      <RunLevel>HighestAvailable</RunLevel>'
    : `<UserId>${account}</UserId>\n      <LogonType>InteractiveToken</LogonType>\n      <RunLevel>LeastPrivilege</RunLevel>`;
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Cryolift, uploads of watched folders</Description>
  </RegistrationInfo>
  <Triggers>
    <${trigger}>
      <Repetition>
        <Interval>PT5M</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <Enabled>true</Enabled>${isSystem ? '' : `\n      <UserId>${account}</UserId>`}
    </${trigger}>
  </Triggers>
  <Principals>
    <Principal id="Author">
      ${principal}
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>7</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>255</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escapeXml(quoteWord(command))}</Command>
      <Arguments>${escapeXml(words)}</Arguments>
    </Exec>
  </Actions>
</Task>
`;
}

/** As CommandLineToArgvW reads it: backslashes before a quote are doubled. */
function quoteWord(word: string): string {
  if (/^[\w:\\/.-]+$/.test(word)) return word;
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}
