/** The page of a shared dataset. It has no script, so that it opens in any browser. */
import type { DatasetRecord, ManifestEntry } from '@cryolift/protocol/messages';
import { escapeHtml } from './html.ts';

export const STYLE = `
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-top: 1px solid #8886; overflow-wrap: anywhere }
td:nth-child(2) { white-space: nowrap } @media (max-width: 40rem) { td:nth-child(3), th:nth-child(3) { display: none } } code { font-size: .85em } pre { overflow-x: auto; padding: .75rem; background: #8882; border-radius: .25rem }
`;

/** @param expiresAt when its links end, RFC 3339. */
export function renderStart({ name, files, bytes }: DatasetRecord, expiresAt: string): string {
  const title = escapeHtml(name);
  const many = files === 1 ? '1 file' : `${files} files`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
<p>${many}, ${printBytes(bytes)}. The links work until <time datetime="${expiresAt}">${expiresAt.slice(0, 16).replace('T', ' ')} UTC</time>.
Whoever has the address of this page can download the files.</p>
<h2>All files</h2>
<p>With <a href="https://aria2.github.io/">aria2</a>, which continues after an interruption and compares each SHA-256. ADDRESS
is that of this page:</p>
<pre>curl -sS 'ADDRESS' | aria2c --input-file=-</pre>
<h2>Single files</h2>
<table>
<tr><th>File<th>Size<th>SHA-256
`;
}

export function renderRows(entries: readonly ManifestEntry[]): string {
  return entries
    .map(
      ({ path, url, size, sha256 }) =>
        `<tr><td><a href="${escapeHtml(url)}">${escapeHtml(path)}</a><td>${printBytes(size)}<td><code>${sha256 ?? ''}</code>\n`,
    )
    .join('');
}

export function renderEnd(): string {
  return '</table>\n</html>\n';
}

function printBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(value < 100 ? 1 : 0)} ${units[power]}`;
}
