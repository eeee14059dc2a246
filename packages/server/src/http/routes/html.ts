/** What pages without a script have in common. */
import { createHash } from 'node:crypto';

/** @returns text that is safe in an element and in an attribute with double quotes. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (each) => entities[each] as string);
}

/** Such a page loads nothing, sends no form and no Referer, and cannot be framed. @param style its only style sheet. */
export function pageHeaders(style: string) {
  const hash = createHash('sha256').update(style).digest('base64');
  return {
    'content-security-policy': `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
  };
}
