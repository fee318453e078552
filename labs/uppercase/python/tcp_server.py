# Handout W (Week 5), task 1 over TCP [W-T1.1a] [W-K4]: one request for each
# connection. bytes.upper() changes a to z and nothing else.
#
#     python3 tcp_server.py HOST PORT
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((host, port))
server.listen(1)
print("listening on %s:%d" % server.getsockname(), flush=True)

while True:
    client, address = server.accept()
    try:
        sentence = client.recv(1024)  # one recv: what came so far
        print("received:", sentence.decode(errors="replace"), flush=True)
        client.send(sentence.upper())
    except OSError as problem:
        print("client lost:", problem, flush=True)
    client.close()
