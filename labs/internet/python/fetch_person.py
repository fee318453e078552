"""Plays a person who runs `fetch` at a terminal: the password is not shown,
Ctrl-C and kill at its prompt leave the echo on, what a server sends does not
drive the terminal, a file has a progress bar. python3 fetch_person.py FETCH"""

import os
import pty
import select
import signal
import socket
import sys
import tempfile
import termios
import threading

LETTER = b"\x1b[2J\xc2\x9b31m\ttab caf\xc3\xa9\r\n"


def pop3(server):
    connection, _ = server.accept()
    file = connection.makefile("rwb", 0)
    for reply in b"+OK", b"+OK", b"+OK", b"+OK 1 9", b"+OK 1 40":
        file.write(reply + b"\r\n")
        if not file.readline():
            return
    file.write(b"+OK\r\n" + LETTER + b".\r\n")
    file.readline()


def start(arguments=()):
    """fetch at a new terminal: its pid, and the other end of the terminal."""
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=pop3, args=(server,), daemon=True).start()
    url = "pop3://ann@127.0.0.1:%d/1" % server.getsockname()[1]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.argv[1], ["fetch", url, *arguments])
    return pid, terminal


def read_until(terminal, text):
    seen = b""
    while text not in seen:
        ready, _, _ = select.select([terminal], [], [], 10)
        assert ready, seen
        try:
            data = os.read(terminal, 4096)
        except OSError:  # the program has ended
            data = b""
        seen += data
        if not data:
            assert text == b"<end>", seen
            return seen
    return seen


def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


pid, terminal = start()
assert echoes(terminal)
read_until(terminal, b"Password of ann: ")
assert not echoes(terminal)
os.write(terminal, b"swordfish\n")
seen = read_until(terminal, b"<end>")
assert b"swordfish" not in seen, seen
assert b"C: PASS ****" in seen, seen
assert os.waitpid(pid, 0)[1] == 0
print("prompt ok")

assert b"\x1b" not in seen and b"\xc2\x9b" not in seen, seen
assert b"\\x1b[2J\\u{9b}31m\ttab caf\xc3\xa9" in seen, seen
print("escapes ok")

pid, terminal = start()
read_until(terminal, b"Password of ann: ")
os.write(terminal, b"\x03")
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
assert echoes(terminal)
print("ctrl-c ok")

pid, terminal = start()
read_until(terminal, b"Password of ann: ")
os.kill(pid, signal.SIGTERM)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
assert echoes(terminal)
print("kill ok")

pid, terminal = start()
read_until(terminal, b"Password of ann: ")
os.write(terminal, b"\x04")
seen = read_until(terminal, b"<end>")
assert b"no password was given" in seen, seen
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
print("ctrl-d ok")

with tempfile.TemporaryDirectory() as folder:
    name = os.path.join(folder, "letter")
    pid, terminal = start(["-o", name])
    read_until(terminal, b"Password of ann: ")
    os.write(terminal, b"swordfish\n")
    seen = read_until(terminal, b"<end>")
    assert os.waitpid(pid, 0)[1] == 0, seen
    assert b"saved " in seen, seen
    with open(name, "rb") as file:
        assert file.read() == LETTER
print("progress ok")
