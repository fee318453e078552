"""What Python's socket module says, for comparison with `names`.

lookup.py hostname
lookup.py addresses HOST SERVICE …   one line an answer, then a blank
lookup.py service NAME PROTOCOL …    one line each, or `error: …`
lookup.py port NUMBER PROTOCOL …
lookup.py bytes HOST SERVICE …       C's sockaddr, by ctypes
lookup.py silent PROGRAM ARGUMENT…   beside a name server that is mute
"""
import ctypes
import socket
import subprocess
import sys

PROTOCOLS = {0: "0", 6: "IPPROTO_TCP", 17: "IPPROTO_UDP"}


class AddrInfo(ctypes.Structure):
    """struct addrinfo of Linux; macOS has the last but two in other order."""


AddrInfo._fields_ = [
    ("flags", ctypes.c_int),
    ("family", ctypes.c_int),
    ("type", ctypes.c_int),
    ("protocol", ctypes.c_int),
    ("length", ctypes.c_uint32),
    ("address", ctypes.POINTER(ctypes.c_ubyte)),
    ("name", ctypes.c_char_p),
    ("next", ctypes.POINTER(AddrInfo)),
]


def addresses(host, service):
    for family, kind, protocol, _, place in socket.getaddrinfo(host, service):
        # The flow label and the zone stand behind host and port in IPv6.
        host, port = place[0].split("%")[0], place[1]
        protocol = PROTOCOLS.get(protocol, protocol)
        print(family.name, kind.name, protocol, host, port)


def in_bytes(host, service):
    libc = ctypes.CDLL(None)
    found = ctypes.POINTER(AddrInfo)()
    if libc.getaddrinfo(
        host.encode(), service.encode(), None, ctypes.byref(found)
    ):
        sys.exit("getaddrinfo failed")
    first = found.contents
    print(" ".join(f"{byte:02x}" for byte in first.address[: first.length]))


def silent(command):
    import fcntl
    import struct

    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    up = struct.pack("16sh", b"lo", 0x1)  # IFF_UP, by SIOCSIFFLAGS
    fcntl.ioctl(server, 0x8914, up)
    server.bind(("127.0.0.1", 53))
    sys.exit(subprocess.run(command).returncode)


what, *words = sys.argv[1:]
if what == "hostname":
    print(socket.gethostname())
elif what == "silent":
    silent(words)
for first, second in zip(words[::2], words[1::2]):
    try:
        if what == "addresses":
            addresses(first, second)
            print()
        elif what == "service":
            print(socket.getservbyname(first, second))
        elif what == "port":
            print(socket.getservbyport(int(first), second))
        elif what == "bytes":
            in_bytes(first, second)
    except OSError as error:
        print("error:", error)
