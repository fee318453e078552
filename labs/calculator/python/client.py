# Handout G (IIT Goa), question 6 [G-6a] [G-6b] [G-6d]: send the name, then
# every well-formed line of the input, without newlines, and print each
# answer. A badly formed line is a warning here and never sent. q ends it.
#
#     python3 client.py HOST PORT [NAME] < LINES
import socket
import sys
import time

host, port = sys.argv[1], int(sys.argv[2])
name = sys.argv[3] if len(sys.argv) > 3 else "python"


def well_formed(text):
    try:
        left, operation, right = text.split(" ")
        float(left), float(right)
        return operation in ("+", "-", "*", "/")
    except ValueError:
        return False


client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect((host, port))
client.sendall(name.encode())
# Nobody answers the name. A person needs a moment to type, and that moment
# is all that keeps the name and the first sum apart.
time.sleep(0.5)

for line in sys.stdin:
    text = line.rstrip("\r\n")
    if text == "q":
        client.sendall(b"q")
        break
    if not well_formed(text):
        print("warning: type it like this: 12 + 42", flush=True)
        continue
    client.sendall(text.encode())
    answer = client.recv(1024)
    if not answer:
        print("server closed the connection", flush=True)
        break
    print("answer:", answer.decode(errors="replace").rstrip(), flush=True)
client.close()
