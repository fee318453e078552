# Handout W (Week 5), task 1 over UDP [W-T1.1a] [W-K2]: every datagram goes
# back to its sender in upper case. bytes.upper() changes a to z only.
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
        sentence, address = server.recvfrom(2048)
        print("received:", sentence.decode(errors="replace"), flush=True)
        server.sendto(sentence.upper(), address)
    except OSError as problem:
        print("datagram lost:", problem, flush=True)
