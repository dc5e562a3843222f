"""Take this namespace's network down, and bring it back on SIGTERM or after argv[1] seconds."""

import contextlib
import fcntl
import json
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from pathlib import Path

SIOCADDRT, SIOCGIFFLAGS, SIOCSIFFLAGS = 0x890B, 0x8913, 0x8914
STAYS_BROKEN = 3
"""The code it ends with where it could not give back; with 1 it failed, and gave back."""

IFF_UP, RTF_UP, RTF_GATEWAY = 0x1, 0x1, 0x2
# struct rtentry of <net/route.h> on 64 bit, from rt_pad1 to rt_dev; the rest is left zero.
RTENTRY = struct.Struct("@L16s16s16sHhLBBhhhhPLLH6x")


def set_up(link, up):
    """Raise or lower an interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
        asked = struct.pack("16sh", link.encode(), 0) + bytes(22)
        flags = struct.unpack("16sh", fcntl.ioctl(talk, SIOCGIFFLAGS, asked)[:18])[1]
        flags = flags | IFF_UP if up else flags & ~IFF_UP
        fcntl.ioctl(talk, SIOCSIFFLAGS, struct.pack("16sh", link.encode(), flags) + bytes(22))


def default_gateways():
    """Addresses that default routes go to: a link that goes down takes them along."""
    rows = [line.split() for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    return [
        struct.pack("=L", int(row[2], 16))
        for row in rows
        if row[1] == "00000000" and int(row[3], 16) & RTF_GATEWAY
    ]


def add_default_route(gateway):
    """A default route, as it was."""
    anywhere = struct.pack("=HH4s8x", socket.AF_INET, 0, bytes(4))
    through = struct.pack("=HH4s8x", socket.AF_INET, 0, gateway)
    flags = RTF_UP | RTF_GATEWAY
    entry = RTENTRY.pack(0, anywhere, through, anywhere, flags, *[0] * 12)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
        fcntl.ioctl(talk, SIOCADDRT, entry)


def mend(links, gateways):
    """Links up, default routes as before; ends with STAYS_BROKEN where that cannot be done."""
    try:
        for link in links:
            set_up(link, True)
        for gateway in gateways:
            with contextlib.suppress(FileExistsError):  # it never went down
                add_default_route(gateway)
    except BaseException:
        traceback.print_exc()
        sys.exit(STAYS_BROKEN)


def main():
    """Cut, say so, wait, mend."""
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    links = [name for _, name in socket.if_nameindex() if name != "lo"]
    gateways = default_gateways()
    at_s = time.time()
    try:
        for link in links:
            set_up(link, False)
        print(json.dumps({"interfaces": " ".join(links), "at_s": at_s}), flush=True)
        asked.wait(float(sys.argv[1]))
    finally:
        mend(links, gateways)


if __name__ == "__main__":
    main()
