import { parseArgs } from 'node:util';

const { positionals, values } = parseArgs({ strict: false, allowPositionals: true });
if (positionals[0] === 'serve') {
  const { serve } = await import('@cryolift/server/main');
  process.exit(await serve(process.env, values as Record<string, string>));
}
