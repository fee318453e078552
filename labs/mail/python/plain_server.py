# A mail server in Python for the companion's client (Handout W, task 4)
# [W-T4a]: HELO, MAIL, RCPT, DATA, QUIT, one client after the other. It prints
# each message, and delivers none.
#
#     python3 plain_server.py HOST PORT
import socket
import sys


def converse(client):
    lines = client.makefile("rb")

    def say(text):
        client.sendall(text.encode() + b"\r\n")

    say("220 localhost plain_server.py")
    for line in lines:
        word = line.decode(errors="replace").strip().upper()
        if word.startswith("HELO "):
            say("250 localhost")
        elif word.startswith(("MAIL FROM:<", "RCPT TO:<")):
            say("250 ok")
            print(line.decode(errors="replace").strip())
        elif word == "DATA":
            say("354 the message, and a dot")
            for line in lines:
                if line == b".\r\n":
                    say("250 taken")
                    break
                print("|", line.decode(errors="replace").rstrip())
        elif word == "QUIT":
            say("221 bye")
            return
        else:
            say("500 what?")


listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("listening on %s:%d" % listener.getsockname())
while True:
    client, peer = listener.accept()
    client.settimeout(10)
    try:
        with client:
            converse(client)
        print("left")
    except OSError as error:
        print("lost:", error)
