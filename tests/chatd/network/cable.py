"""A cable to a second host on this machine, a network namespace: what goes through it is delayed, lost, doubled,
and overtaken. The kernel's own `tc netem` does that, too, and many kernels have none.

Usage: cable.py NAME NUMBER MTU. The addresses are 10.214.NUMBER.1 here and 10.214.NUMBER.2 there. What the cable
does is told on standard input, a line each, which it repeats when it does so: `delay MS SPREAD` (both ways, each
packet by its own time, so one may overtake another), `lose PERCENT`, `double PERCENT`, `cut` (from now on nothing
arrives), `mend`.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h


def plug(name):
    """One end: packets that the kernel sends there are read here, and what is written here arrives there."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return end


def ip(words):
    subprocess.run(["ip", *words.split()], check=True)


def main(name, number, mtu):
    here, there = plug(f"{name}a"), plug(f"{name}b")
    ours, theirs = f"10.214.{number}.1", f"10.214.{number}.2"
    ip(f"link set {name}b netns {name}")
    ip(f"addr add {ours} peer {theirs} dev {name}a")
    ip(f"link set {name}a mtu {mtu} up")
    ip(f"-n {name} addr add {theirs} peer {ours} dev {name}b")
    ip(f"-n {name} link set {name}b mtu {mtu} up")
    print("plugged in", flush=True)
    other = {here: there, there: here}
    dice, rules, is_cut = random.Random(7), {"delay": (0, 0), "lose": (0,), "double": (0,)}, False
    under_way, count = [], 0
    while True:
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, end, packet = heapq.heappop(under_way)
            if not is_cut:
                try:
                    os.write(end, packet)
                except BlockingIOError:
                    pass  # its queue is full: lost
        wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        for end in select.select([0, here, there], [], [], wait)[0]:
            if end == 0:
                told = os.read(0, 4096).decode()
                if not told:
                    return  # the test has ended
                for line in told.splitlines():
                    what, *numbers = line.split()
                    if what in rules:
                        rules[what] = tuple(map(float, numbers))
                    is_cut = {"cut": True, "mend": False}.get(what, is_cut)
                    print(line, flush=True)
                continue
            packet = os.read(end, 65536)
            for _ in range(2 if dice.random() * 100 < rules["double"][0] else 1):
                if is_cut or dice.random() * 100 < rules["lose"][0]:
                    continue
                delay, spread = rules["delay"]
                count += 1
                due = time.monotonic() + max(0, delay + dice.uniform(-spread, spread)) / 1000
                heapq.heappush(under_way, (due, count, other[end], packet))


main(*sys.argv[1:])
