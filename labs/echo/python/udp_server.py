# Handout E (ELEN4017), task 4 [E-T4]: the echo over UDP. There is no
# connection to close, so "stop" is echoed like any other text.
#
#     python3 udp_server.py HOST PORT
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((host, port))
print("listening on %s:%d" % server.getsockname(), flush=True)

while True:
    try:
        data, address = server.recvfrom(2048)  # a longer one is cut
        print("received:", data.decode(errors="replace"), flush=True)
        server.sendto(data, address)
    except OSError as problem:
        print("datagram lost:", problem, flush=True)
