# Handout G (IIT Goa), question 8 [G-8b]: a chat window. One thread prints
# what comes, at any moment; the other sends what the user types, newlines
# and all, because they end the messages.
#
#     python3 client.py HOST PORT
import os
import socket
import sys
import threading

client = socket.create_connection((sys.argv[1], int(sys.argv[2])))


def show():
    for line in client.makefile("rb"):
        text = line.decode(errors="replace").rstrip("\r\n")
        sys.stdout.write(text + "\n")  # in one piece
        sys.stdout.flush()
    os._exit(0)  # the server has closed; the other thread waits for keys


threading.Thread(target=show).start()
for line in sys.stdin:
    client.sendall(line.encode())
client.shutdown(socket.SHUT_WR)
