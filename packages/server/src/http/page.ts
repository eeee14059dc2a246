/** `GET /`: what a browser sees. */
import type { Routes } from './contract.ts';

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cryolift</title>
<link rel="stylesheet" href="/page.css">
</head>
<body>
<main>
<h1>Cryolift</h1>
<p>This server takes large cryo-EM files and keeps them whole: in parts, in parallel, resumable, verified to the last byte.</p>
<h2>Send a file</h2>
<pre><code>npx cryolift upload movie.mrc</code></pre>
<p>Run the same command again after an interruption: it sends only what is missing.</p>
<h2>See what is here</h2>
<pre><code>npx cryolift ls</code></pre>
<p><a href="/docs">The HTTP interface</a> · <a href="/limits">Limits</a> · <a href="/readyz">Health</a></p>
</main>
</body>
</html>
`;

const STYLE = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 10vh auto; padding: 0 1.5rem; }
h1 { font-size: 2rem; margin: 0 0 1rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 0.5rem; }
pre { padding: 0.75rem 1rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 0.4rem; overflow-x: auto; }
`;

export function registerPage(app: Routes): void {
  app.get('/', { schema: { hide: true } }, async (_request, reply) => {
    reply.header('content-security-policy', "default-src 'self'").type('text/html; charset=utf-8');
    return PAGE;
  });
  app.get('/page.css', { schema: { hide: true } }, async (_request, reply) => {
    reply.type('text/css; charset=utf-8');
    return STYLE;
  });
}
