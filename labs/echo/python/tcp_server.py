# Handout E (ELEN4017), task 3 [E-T3]: echo over TCP, one client at a time,
# until that client says stop or exit. The command is compared with the whole
# of one recv(), as a first program does: "stop\n" is not "stop".
#
#     python3 tcp_server.py HOST PORT
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((host, port))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)


def converse(client):
    while True:
        data = client.recv(1024)
        if not data:
            return "left without a command"
        print("received:", data.decode(errors="replace"), flush=True)
        if data == b"stop" or data == b"exit":
            return "said " + data.decode()
        client.sendall(data)


while True:
    client, address = server.accept()
    print("connected:", address, flush=True)
    try:
        print("client", converse(client), flush=True)
    except OSError as problem:
        print("client lost:", problem, flush=True)
    client.close()
