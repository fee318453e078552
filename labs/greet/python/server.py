# Handout T (Terna), the simple server [T-S]: greet every client and close.
# The other half is client.py, or our greet-client.
#
#     python3 server.py HOST PORT
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((host, port))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)

while True:
    client, address = server.accept()
    print("Got connection from", address, flush=True)
    try:
        client.send(b"Thank you for connecting")  # no newline
    except OSError as problem:
        print("client lost:", problem, flush=True)
    client.close()
