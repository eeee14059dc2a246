/** Opens a page in the browser of the person, where this process can do that. */
import { spawn } from 'node:child_process';

/** False: there is no display, or the display is not here. */
export function hasBrowser(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): boolean {
  if (env.SSH_CONNECTION || env.SSH_TTY) return false;
  if (platform === 'win32' || platform === 'darwin') return true;
  return Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}

/** Does not wait, and says nothing when there is no browser: the URL is printed as well. */
export function openBrowser(url: URL): void {
  const [program, ...args] =
    process.platform === 'win32'
      ? ['rundll32', 'url.dll,FileProtocolHandler']
      : [process.platform === 'darwin' ? 'open' : 'xdg-open'];
  const child = spawn(program as string, [...args, url.href], { stdio: 'ignore', detached: true });
  child.on('error', () => {}).unref();
}
