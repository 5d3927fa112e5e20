"""A small network of hosts on one machine: each host is a network namespace with one address, and every packet between two hosts
passes through this process, which delays it, loses it, or finds the link cut. (The kernel's own netem is missing on many machines.)"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import shutil
import struct
import subprocess
import threading
import time

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def enter(namespace):
    handle = os.open(namespace, os.O_RDONLY)
    try:
        if LIBC.setns(handle, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"entering {namespace}")
    finally:
        os.close(handle)


def name_of(host):
    """What the other hosts call it."""
    return f"host-{host}.zl"


class Links:
    """Hosts `name -> address`; link times in seconds, loss as a fraction, all one way."""

    def __init__(self, prefix, hosts, delay=0.0, jitter=0.0, loss=0.0, seed=1):
        self.prefix, self.hosts = prefix, hosts
        self.delay, self.jitter, self.loss = delay, jitter, loss
        self.cut = set()  # names of hosts whose link is cut
        self.random = random.Random(seed)
        self.carried = self.lost = 0
        self.devices = {}  # file descriptor -> name
        self.by_address = {}
        self.stopping = False
        self.thread = None
        self.made = []

    def namespace(self, name):
        return f"{self.prefix}-{name}"

    def start(self):
        home = "/proc/thread-self/ns/net"
        own = os.open(home, os.O_RDONLY)
        try:
            for name, address in self.hosts.items():
                namespace = self.namespace(name)
                run("ip", "netns", "add", namespace)
                self.made.append(namespace)
                # Under this path, `ip netns exec` finds what to put in the place of /etc/hosts.
                os.makedirs(f"/etc/netns/{namespace}", exist_ok=True)
                with open(f"/etc/netns/{namespace}/hosts", "w") as file:
                    file.write("127.0.0.1 localhost\n")
                    file.writelines(f"{its} {name_of(other)}\n" for other, its in self.hosts.items())
                enter(f"/run/netns/{namespace}")
                device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
                fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", b"zl0", IFF_TUN_NO_PI))
                LIBC.setns(own, CLONE_NEWNET)
                run("ip", "-n", namespace, "link", "set", "lo", "up")
                run("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", "zl0")
                run("ip", "-n", namespace, "link", "set", "zl0", "up")
                self.devices[device] = name
                self.by_address[bytes(int(part) for part in address.split("."))] = (device, name)
        finally:
            LIBC.setns(own, CLONE_NEWNET)
            os.close(own)
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    def carry(self):
        poll = select.epoll()
        for device in self.devices:
            poll.register(device, select.EPOLLIN)
        waiting, number, last = [], 0, {}
        while not self.stopping:
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                _, _, device, packet = heapq.heappop(waiting)
                try:
                    os.write(device, packet)
                except OSError:
                    pass  # the host takes no more; to it the packet is lost
            wait = min(0.2, waiting[0][0] - now) if waiting else 0.2
            for device, _ in poll.poll(max(wait, 0)):
                try:
                    packet = os.read(device, 65536)
                except OSError:
                    continue
                target = self.by_address.get(packet[16:20]) if len(packet) >= 20 and packet[0] >> 4 == 4 else None
                if target is None:
                    continue
                source, (to, name) = self.devices[device], target
                if source in self.cut or name in self.cut or self.random.random() < self.loss:
                    self.lost += 1
                    continue
                self.carried += 1
                # A link keeps the order of its packets.
                due = now + self.delay + self.random.uniform(-self.jitter, self.jitter)
                due = max(due, last.get((device, to), 0.0))
                last[device, to] = due
                number += 1
                heapq.heappush(waiting, (due, number, to, packet))

    def stop(self):
        self.stopping = True
        if self.thread:
            self.thread.join(2)
        for device in self.devices:
            os.close(device)
        for namespace in self.made:
            subprocess.run(["ip", "netns", "del", namespace], check=False)
            shutil.rmtree(f"/etc/netns/{namespace}", ignore_errors=True)
        if self.made and not os.listdir("/etc/netns"):
            os.rmdir("/etc/netns")
