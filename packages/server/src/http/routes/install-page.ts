/** The page at `GET /install`. It has no script, so that it opens in the oldest browser of an instrument. */
import { escapeHtml } from './html.ts';

export interface Program {
  /** Of its file: `cryolift-win-x64.exe`. */
  readonly name: string;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** By the platform in the name of the file, in the order of the page. */
const SYSTEMS: readonly (readonly [platform: string, label: string])[] = [
  ['win-x64', 'Windows 10 or newer, 64 bit'],
  ['linux-x64', 'Linux, x86-64 (glibc 2.28 or newer, libatomic1)'],
  ['linux-arm64', 'Linux, ARM64 (glibc 2.28 or newer, libatomic1)'],
  ['macos-arm64', 'macOS, Apple processor'],
  ['macos-x64', 'macOS, Intel processor'],
];

export const STYLE = `
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-top: 1px solid #8886 }
td:nth-child(-n+3):not(:first-child) { white-space: nowrap } code { overflow-wrap: anywhere } pre { overflow-x: auto; padding: .75rem; background: #8882; border-radius: .25rem }
`;

/** @param server URL of this server, for the commands. */
export function renderInstall(programs: readonly Program[], server: string): string {
  const rows = SYSTEMS.flatMap(([platform, label]) =>
    programs.filter(({ name }) => platformOf(name) === platform).map((program) => renderRow(program, label)),
  );
  const table =
    rows.length === 0
      ? '<p>This server has no programs to offer. Its operator makes them with <code>npm run dist</code>.</p>'
      : `<table>\n<tr><th>System<th>Program<th>Size<th>SHA-256\n${rows.join('\n')}\n</table>`;
  const url = escapeHtml(server);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Install cryolift</title>
<style>${STYLE}</style>
<h1>Install cryolift</h1>
<p>The command line in one file: no installation, no other software, no administrator. Download the program for your
system, compare its digest, and run it in a terminal.</p>
${table}
<p><a href="/install/SHA256SUMS">SHA256SUMS</a> · <a href="/install/LICENSES.txt">Licences</a></p>
<h2>Windows</h2>
<p>In PowerShell, in the folder of the program:</p>
<pre>(Get-FileHash cryolift-win-x64.exe).Hash
.\\cryolift-win-x64.exe --server ${url} --token '@token.txt' doctor
.\\cryolift-win-x64.exe --server ${url} --token '@token.txt' upload D:\\session\\movie.mrc</pre>
<h2>Linux and macOS</h2>
<pre>sha256sum cryolift-linux-x64          # macOS: shasum -a 256 cryolift-macos-arm64
chmod +x cryolift-linux-x64
./cryolift-linux-x64 --server ${url} --token @token.txt doctor
./cryolift-linux-x64 --server ${url} --token @token.txt upload movie.mrc</pre>
<p><code>token.txt</code> has the token or is replaced by an upload link: <code>--link</code>. macOS refuses programs
without a signature of a registered developer: <code>xattr -d com.apple.quarantine FILE</code> and <code>codesign --sign -
FILE</code> permit this one.</p>
</html>
`;
}

function renderRow({ name, sha256, sizeBytes }: Program, label: string): string {
  const size = `${Math.round(sizeBytes / 1e6)} MB`;
  return `<tr><td>${label}<td><a href="/install/${name}" download>${name}</a><td>${size}<td><code>${sha256}</code>`;
}

function platformOf(name: string): string {
  return name.replace(/^cryolift-/, '').replace(/\.exe$/, '');
}
