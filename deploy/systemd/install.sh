#!/bin/sh
# Installs this version of the Cryolift server for systemd, or upgrades to it, or goes back to it. As root:
#   ./install.sh               in the unpacked package, or /opt/cryolift/VERSION/install.sh to go back to VERSION
#   ./install.sh --root DIR    puts the same files below DIR; makes no user and leaves systemd alone
# It starts and stops nothing, and downloads nothing. To remove Cryolift, see docs/guides/install.md.
set -eu
umask 022

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

here=$(cd "$(dirname "$0")" && pwd -P)
root=
case "$#:${1-}" in
  0:) ;;
  2:--root) root=$2 ;;
  *) fail "usage: install.sh [--root DIR]" ;;
esac
[ -f "$here/VERSION" ] || fail "$here is not an unpacked server package"
version=$(cat "$here/VERSION")
# Before anything is changed.
"$here/node_modules/.bin/node" --version > /dev/null ||
  fail "Node does not start: it needs the package for this processor, glibc 2.28 or newer, and libatomic1"
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "run it as root, or with --root DIR"

opt=$root/opt/cryolift
env=$root/etc/cryolift.env
mkdir -p "$opt" "$root/etc/systemd/system" "$root/usr/local/bin"
[ ! -e "$opt/.git" ] || fail "$opt is a checkout of the repository: move it away first"

# A version is a folder that is never changed: it appears whole, and those before stay for a roll-back.
if [ -e "$opt/$version" ]; then
  echo "$opt/$version is there already, and is kept"
else
  rm -rf "$opt/.$version.new"
  cp -R "$here" "$opt/.$version.new"
  [ -n "$root" ] || chown -R root:root "$opt/.$version.new"
  sync -f "$opt"
  mv "$opt/.$version.new" "$opt/$version"
  echo "$opt/$version: the program, with Node"
fi
before=$(readlink "$opt/current" || true)

if [ -z "$root" ] && ! id cryolift > /dev/null 2>&1; then
  useradd --system --user-group --home-dir /srv/cryolift --shell /usr/sbin/nologin cryolift
  echo "user and group cryolift"
fi
if [ ! -d "$root/srv/cryolift" ]; then
  mkdir -p "$root/srv"
  mkdir -m 700 "$root/srv/cryolift"
  [ -n "$root" ] || chown cryolift:cryolift /srv/cryolift
  echo "$root/srv/cryolift: the data folder"
fi
if [ -e "$env" ]; then
  echo "$env: your settings are kept"
else
  (umask 077 && cp "$here/deploy/systemd/cryolift.env" "$env.new")
  echo "CRYOLIFT_JWT_SECRET=$(head -c 36 /dev/urandom | base64)" >> "$env.new"
  mv "$env.new" "$env"
  echo "$env: settings, with a new secret for tokens"
fi

cp "$here/deploy/systemd/cryolift.service" "$root/etc/systemd/system/cryolift.service"
ln -sfn /opt/cryolift/current/bin/cryolift "$root/usr/local/bin/cryolift"
# The last step, in one call: until here, a start is one of the version before.
ln -sfn "$version" "$opt/current.new"
mv -T "$opt/current.new" "$opt/current"
echo "$opt/current -> $version${before:+ (before: $before)}"
[ -n "$root" ] || systemctl daemon-reload
if [ -n "$before" ]; then next="restart"; else next="enable --now"; fi
echo "Next: systemctl $next cryolift"
