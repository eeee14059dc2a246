/** Bundles the SDK for a page. */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ENTRY = fileURLToPath(new URL('./sdk.ts', import.meta.url));

/** @returns one minified ES module. @throws Error when the build fails or warns. */
export async function bundleSdk(): Promise<string> {
  const warnings: string[] = [];
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      lib: { entry: ENTRY, formats: ['es'] },
      write: false,
      minify: true,
      rolldownOptions: { onwarn: ({ message }) => warnings.push(message) },
    },
  });
  if (warnings.length > 0) throw new Error(warnings.join('\n'));
  const chunks = [built].flat().flatMap((each) => ('output' in each ? each.output : []));
  if (chunks.length !== 1 || chunks[0]?.type !== 'chunk') throw new Error('the SDK was not built into one file');
  return chunks[0].code;
}
