#!/usr/bin/env python3
"""A wide-area link for kernels without netem: real TCP at both ends, the way between them is this program.

    link.py NAME [--delay MS] [--loss PERCENT] [--rate MBIT] [--buffer SECONDS] [--seed N]

Makes two network namespaces, NAME-server (10.99.0.1) and NAME-client (10.99.0.2), each with a TUN device, and carries
packets from one to the other. In each direction: a packet is lost with the given probability; the others
queue for a line of that rate, or are dropped when they would have to wait longer than the buffer lasts; then they travel for
the delay. The round trip is twice the delay, plus the queues. TCP is cubic.

Prints 'ready'. On SIGTERM, SIGINT and when its parent dies, it ends what still runs in the namespaces, removes them and
prints a line of JSON. Needs Linux, root, /dev/net/tun, iproute2.
"""
import argparse
import collections
import ctypes
import fcntl
import json
import os
import random
import select
import shutil
import signal
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
DEVICE = 'wide0'
NETWORK = '10.99.0.0/24'
ADDRESSES = {'server': '10.99.0.1', 'client': '10.99.0.2'}
CONGESTION_CONTROL = 'cubic'
MTU = 1500
# Packets read from one side before the other one gets its turn.
BATCH = 64
libc = ctypes.CDLL(None, use_errno=True)


def main():
    options = read_options()
    die_with_parent()
    # Only to leave select(): a signal between two statements is still in the pipe.
    wake, woken = os.pipe()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: os.write(woken, b'.'))
    namespaces = {side: f'{options.name}-{side}' for side in ADDRESSES}
    try:
        ends = {side: open_end(name, ADDRESSES[side]) for side, name in namespaces.items()}
        up = Direction(ends['client'], ends['server'], options)
        down = Direction(ends['server'], ends['client'], options)
        print('ready', flush=True)
        carry(up, down, wake)
        print(json.dumps({'up': up.statistics(), 'down': down.statistics()}), flush=True)
    finally:
        for name in namespaces.values():
            remove_namespace(name)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name')
    parser.add_argument('--delay', type=float, default=50, help='one way, ms')
    parser.add_argument('--loss', type=float, default=0, help='percent of the packets, in each direction')
    parser.add_argument('--rate', type=float, default=200, help='Mbit/s, of IP packets')
    parser.add_argument('--buffer', type=float, default=0.06, help='how long the longest queue takes to drain, s')
    parser.add_argument('--seed', type=int, default=1, help='of which packets are lost')
    options = parser.parse_args()
    missing = find_missing()
    if missing:
        sys.exit(f'link.py: {missing}')
    return options


def find_missing():
    if os.geteuid() != 0:
        return 'needs root, to make network namespaces'
    if not shutil.which('ip'):
        return 'needs iproute2: there is no ip command'
    if not os.path.exists('/dev/net/tun'):
        return 'needs /dev/net/tun: modprobe tun, or start the container with that device'
    with open('/proc/sys/net/ipv4/tcp_available_congestion_control') as file:
        if CONGESTION_CONTROL not in file.read().split():
            return f'needs TCP {CONGESTION_CONTROL}: modprobe tcp_{CONGESTION_CONTROL}'
    return None


def die_with_parent():
    parent = os.getppid()
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    # It may have died just before.
    if os.getppid() != parent:
        sys.exit('link.py: the parent is gone')


def open_end(namespace, address):
    """Makes the namespace with its TUN device; what is sent there is read from the result, and what is written arrives there."""
    ip('netns', 'add', namespace)
    with open('/proc/self/ns/net') as here, open(f'/run/netns/{namespace}') as there:
        enter(there)
        try:
            end = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(end, TUNSETIFF, struct.pack('16sH22x', DEVICE.encode(), IFF_TUN | IFF_NO_PI))
        finally:
            enter(here)
    ip('-n', namespace, 'address', 'add', f'{address}/24', 'dev', DEVICE)
    ip('-n', namespace, 'link', 'set', DEVICE, 'mtu', str(MTU), 'txqueuelen', '10000', 'up')
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
    # Of the route, because a container may not be allowed to set the namespace's default.
    ip('-n', namespace, 'route', 'change', NETWORK, 'dev', DEVICE, 'congctl', CONGESTION_CONTROL)
    return end


def enter(namespace):
    if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'setns')


def remove_namespace(name):
    pids = subprocess.run(['ip', 'netns', 'pids', name], capture_output=True, text=True).stdout.split()
    for pid in pids:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass
    subprocess.run(['ip', 'netns', 'delete', name], stderr=subprocess.DEVNULL)


def ip(*arguments):
    subprocess.run(['ip', *arguments], check=True)


class Direction:
    """One way of the link. Packets keep their order: what left the line first arrives first."""

    def __init__(self, source, target, options):
        self.source = source
        self._target = target
        self._random = random.Random(options.seed)
        self._loss = options.loss / 100
        self._seconds_per_byte = 8 / (options.rate * 1e6)
        self._buffer = options.buffer
        self._delay = options.delay / 1000
        self._line_free_at = 0.0
        self._travelling = collections.deque()
        self._counts = {'sent': 0, 'sent_bytes': 0, 'lost': 0, 'overflowed': 0}
        self._longest_wait = 0.0

    def take(self):
        """Reads what has been sent."""
        for _ in range(BATCH):
            try:
                packet = os.read(self.source, 65536)
            except BlockingIOError:
                return
            self._admit(packet, time.monotonic())

    def _admit(self, packet, now):
        self._counts['sent'] += 1
        self._counts['sent_bytes'] += len(packet)
        if self._random.random() < self._loss:
            self._counts['lost'] += 1
            return
        wait = max(0.0, self._line_free_at - now)
        if wait > self._buffer:
            self._counts['overflowed'] += 1
            return
        self._longest_wait = max(self._longest_wait, wait)
        self._line_free_at = now + wait + len(packet) * self._seconds_per_byte
        self._travelling.append((self._line_free_at + self._delay, packet))

    def deliver(self):
        """Hands over what has arrived by now. @returns when the next packet will, or None."""
        now = time.monotonic()
        while self._travelling and self._travelling[0][0] <= now:
            os.write(self._target, self._travelling.popleft()[1])
        return self._travelling[0][0] if self._travelling else None

    def statistics(self):
        return {**self._counts, 'longest_wait_ms': round(self._longest_wait * 1000)}


def carry(up, down, wake):
    while True:
        due = [at for at in (up.deliver(), down.deliver()) if at is not None]
        timeout = max(0.0, min(due) - time.monotonic()) if due else None
        readable, _, _ = select.select([up.source, down.source, wake], [], [], timeout)
        if wake in readable:
            return
        for direction in (up, down):
            if direction.source in readable:
                direction.take()


if __name__ == '__main__':
    main()
