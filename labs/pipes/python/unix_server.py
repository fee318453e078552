# The sockets of handout T with AF_UNIX in place of AF_INET, beside its pipes
# [T-X3]: an echo server for one client after the other, which also says what
# the kernel knows of each.
#
#     python3 unix_server.py PATH
import os
import socket
import struct
import sys

path = sys.argv[1]
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(path)
server.listen(5)
print("listening on", path, flush=True)
try:
    while True:
        client, address = server.accept()  # the address is empty: ''
        ucred = client.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
        )
        print("pid %d, uid %d, gid %d" % struct.unpack("3i", ucred), flush=True)
        while data := client.recv(1024):
            client.sendall(data)
        client.close()
except KeyboardInterrupt:
    os.unlink(path)
