"""What the small servers for `fetch` share: a thread per client, lines.

    def converse(client): client.send("+OK"); line = client.line()
    serve(converse)               # python3 NAME_server.py [HOST] [PORT]
"""

import socket
import sys
import threading

LETTERS = [
    b"From: Ann <ann@example.org>\r\n"
    b"To: Bob <bob@example.org>\r\n"
    b"Subject: Lunch\r\n"
    b"\r\n"
    b"Twelve o'clock?\r\n"
    b".\r\n"
    b"A dot alone ends no letter.\r\n",
    b"From: Bob <bob@example.org>\r\n"
    b"Subject: Re: Lunch\r\n"
    b"\r\n"
    b"Yes.\r\n",
]


class Client:
    """A connection, read by lines."""

    def __init__(self, connection):
        self.connection = connection
        self.file = connection.makefile("rb")

    def line(self):
        """The next line as text, or None at the end."""
        line = self.file.readline(4096)
        return line.decode("latin-1").rstrip("\r\n") if line else None

    def send(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def send_bytes(self, data):
        self.connection.sendall(data)

    def send_dotted(self, data):
        """Lines and a single dot; a dot in front of a line is doubled."""
        for line in data.splitlines(keepends=True):
            self.connection.sendall(b"." * line.startswith(b".") + line)
        self.connection.sendall(b".\r\n")


def handle(converse, connection):
    with connection:
        try:
            converse(Client(connection))
        except OSError:
            pass  # the client has gone


def serve(converse):
    host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = socket.create_server((host, port))
    address = server.getsockname()
    print(f"listening on {address[0]}:{address[1]}", flush=True)
    while True:
        connection, _ = server.accept()
        threading.Thread(
            target=handle, args=(converse, connection), daemon=True
        ).start()
