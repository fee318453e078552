# Handout G (IIT Goa), question 8 [G-8b]: the chat room as a first program
# does it: a thread per client, and a lock around the table of sockets. While
# one member does not read, sendall() waits, holding the lock, and with it
# everybody.
#
#     python3 server.py HOST PORT
import socket
import sys
import threading
import time

members = {}  # name: socket
lock = threading.Lock()


def broadcast(text, author=None):
    print(text, flush=True)
    for name, member in members.items():
        if name != author:
            try:
                member.sendall((text + "\n").encode())
            except OSError:
                pass  # it is gone; its own thread will say so


def announce(what):
    clock = time.strftime("%H.%M")
    count = len(members)
    broadcast("Server: time=%s %s Member count=%d" % (clock, what, count))


def log_in(client, lines):
    while True:
        client.sendall(b"Enter login name:\n")
        name = lines.readline().strip()
        with lock:
            if name and name not in members:
                members[name] = client
                announce(name + " has joined.")
                return name
        if not name:
            return None


def converse(client):
    with client, client.makefile("r", errors="replace") as lines:
        name = log_in(client, lines)
        if name is None:
            return
        try:
            for line in lines:
                if line.strip() == "quit":
                    break
                with lock:
                    broadcast(name + ": " + line.rstrip(), author=name)
        except OSError as problem:
            print(name, "lost:", problem, flush=True)
        with lock:
            del members[name]
            announce(name + " has left.")


server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((sys.argv[1], int(sys.argv[2])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
while True:
    client, address = server.accept()
    threading.Thread(target=converse, args=(client,), daemon=True).start()
