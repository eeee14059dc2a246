/** The commented settings file that `cryolift config init` writes. */

interface Places {
  readonly token: string;
  readonly folder: string;
  readonly done: string;
}

const POSIX: Places = {
  token: '"/etc/cryolift/token"',
  folder: '"/data/session"',
  done: '"/data/done"',
};
const WINDOWS: Places = {
  token: "'C:\\ProgramData\\cryolift\\token'",
  folder: "'D:\\data\\session'",
  done: "'D:\\data\\done'",
};

/** With the line ends of the system. */
export function sampleSettings(platform: NodeJS.Platform): string {
  const text = write(platform === 'win32' ? WINDOWS : POSIX);
  return platform === 'win32' ? text.replaceAll('\n', '\r\n') : text;
}

function write({ token, folder, done }: Places): string {
  return `# Settings of \`cryolift watch --config FILE\` and of the service that \`cryolift watch install\` installs.
# The format is TOML. A line that begins with # is a comment; the commented settings show the defaults or examples.
# \`cryolift config check\` checks this file. A running watch reads it when it starts.
# On Windows, write paths in single quotes: 'D:\\data\\session'.

# The server.
server = "https://cryolift.example.org"

# A file with nothing in it but a token. Only the user of the watch should be able to read it. The token itself does not
# belong into this file. When the server refuses the token, the file is read again.
token_file = ${token}

# Instead of server and token_file: a file with an upload link, which permits uploads only.
# link_file = ${token.replace('token', 'link')}

# Limit in bytes per second for all folders together, or by the time of day: "08:00,20MiB 19:00,off".
# bwlimit = "50MiB"

# Maximum of parts sent at the same time, 1 to 64. The number adapts to the network.
# parallel = 64

# Whether parts are compressed when they shrink and the network is slower than that.
# compress = true

# A folder that is watched. Repeat the table for each further folder.
[[watch]]
folder = ${folder}

# How long the size and times of a file must be unchanged before it is uploaded, 1s to 7d.
# settle = "60s"

# After the server has confirmed the digest of a file: move it there, with its subfolders.
# move_to = ${done}

# Or delete it. Without both, files are kept.
# delete = true

# Either waits for a signed receipt that names the file, with after_receipt = true and a dataset in meta.

# Hash each file first. What you have on the server already, under any name, is copied there and not sent.
# skip_known = true

# Only these files, and without these files and folders. '*.mrc' matches names anywhere; 'grid1/**/*.mrc' matches paths
# below the folder.
# include = ["*.mrc", "*.mdoc"]
# exclude = ["Atlas"]

# Files uploaded at the same time, 1 to 16.
# files = 4

# Metadata of the files.
# meta = { microscope = "krios-1", project = "p42" }

# A folder with bwlimit, parallel or compress of its own has its own connections. The bwlimit at the top holds in
# addition.
# bwlimit = "10MiB"
`;
}
