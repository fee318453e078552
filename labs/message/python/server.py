# Handout D (Durham), tasks 1 and 3 [D-T1.2] [D-T3.1] [D-T3.3]: print every
# message. Each recv() is taken for one message, which holds only while the
# client pauses between two of them.
#
#     python3 server.py HOST PORT [--reply] [--quota FILE]
#
# --reply answers ok. --quota reads the table from FILE, one "ID NUMBER" a
# line, and wants "ID <id>" or the bare id as the first message.
import argparse
import socket

parser = argparse.ArgumentParser()
parser.add_argument("host")
parser.add_argument("port", type=int)
parser.add_argument("--reply", action="store_true")
parser.add_argument("--quota", metavar="FILE")
args = parser.parse_args()

left = {}  # client ID -> how many messages it may still send
if args.quota:
    with open(args.quota) as table:
        left = {i: int(n) for i, n in (row.split() for row in table)}


def converse(client):
    name = None
    while data := client.recv(1024):
        text = data.decode(errors="replace").rstrip("\r\n")
        if args.quota and name is None:
            name = text[3:] if text.startswith("ID ") else text
            print("id:", name, flush=True)
            if name not in left:
                client.sendall(b"UNKNOWN id, not in the table")
                return
            client.sendall(b"OK %d left" % left[name])
        elif args.quota and left[name] == 0:
            client.sendall(b"STOP sending, the quota is used up")
        else:
            print("message:", text, flush=True)
            if args.quota:
                left[name] -= 1
                client.sendall(b"OK %d left" % left[name])
            elif args.reply:
                client.sendall(b"ok")


server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((args.host, args.port))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)

while True:
    client, address = server.accept()
    print("connected:", address, flush=True)
    try:
        converse(client)
        print("client left", flush=True)
    except OSError as problem:
        print("client lost:", problem, flush=True)
    client.close()
