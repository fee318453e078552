# Handout G (IIT Goa), question 6 [G-6a] [G-6c] [G-6d]: the first recv() is
# the client's name, every further one is a sum to work out, until q.
#
#     python3 server.py HOST PORT
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])


def answer(text):
    try:
        left, operation, right = text.split()
        a, b = float(left), float(right)
        if operation not in ("+", "-", "*", "/"):
            return "error: unknown operation"
        if operation == "+":
            result = a + b
        elif operation == "-":
            result = a - b
        elif operation == "*":
            result = a * b
        else:
            result = a / b
        return str(int(result)) if result.is_integer() else str(result)
    except ZeroDivisionError:
        return "error: division by zero"
    except ValueError:
        return "error: two numbers and an operation, with spaces"


def converse(client):
    name = client.recv(1024).decode(errors="replace").strip()
    print("name:", name, flush=True)
    while data := client.recv(1024):
        text = data.decode(errors="replace").strip()
        if text == "q":
            print("Session ended", flush=True)
            return
        print(f"{name}: {text}", flush=True)
        client.sendall(answer(text).encode())
    print("client left without q", flush=True)


server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((host, port))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)

while True:
    client, address = server.accept()
    try:
        converse(client)
    except OSError as problem:
        print("client lost:", problem, flush=True)
    client.close()
