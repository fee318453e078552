"""An FTP server with two files, for ann (password lunch) and anonymous; ann
may store more, which are kept in memory. RFC 959, passive mode; `--no-epsv`:
an old one, which knows PASV only.
python3 ftp_server.py [HOST] [PORT] [--no-epsv]"""

import socket
import sys

from lines import serve

FILES = {
    "readme.txt": b"Two connections, one file.\r\n",
    "pub/bytes.bin": bytes(range(256)) * 4096,
}
ROOM = 8 << 20  # bytes of all files together


def entries(folder):
    """Name, kind and size of what a folder holds."""
    prefix = folder + "/" if folder else ""
    found = {}
    for name, data in FILES.items():
        if name.startswith(prefix):
            name = name[len(prefix):].split("/")[0]
            kind = "d" if prefix + name not in FILES else "-"
            found[name] = f"{kind}r--r--r-- 1 ann ann {len(data):8} {name}"
    return found


def send_over(client, waiting, data):
    """150, the data on the second connection, 226."""
    client.send("150 here it comes")
    connection, _ = waiting.accept()
    with connection:
        connection.sendall(data)
    waiting.close()
    client.send("226 that was all")


def receive_over(client, waiting, path):
    """150, the data from the second connection, 226; or 452, and nothing of
    it is kept."""
    client.send("150 send it")
    connection, _ = waiting.accept()
    data, room = b"", ROOM - sum(map(len, FILES.values()))
    with connection:
        while chunk := connection.recv(65536):
            data += chunk
            if len(data) > room:
                break
    waiting.close()
    if len(data) > room:
        client.send("452 no room for it")
    else:
        FILES[path] = data
        client.send("226 stored")


def passive(client, command):
    """A second listener, and the reply that names its port."""
    host = client.connection.getsockname()[0]
    waiting = socket.create_server((host, 0))
    waiting.settimeout(10)
    port = waiting.getsockname()[1]
    if command == "PASV":
        numbers = [*host.split("."), port // 256, port % 256]
        numbers = ",".join(map(str, numbers))
        client.send(f"227 Entering Passive Mode ({numbers})")
    elif "--no-epsv" in sys.argv:
        client.send("500 what is that?")
    else:
        client.send(f"229 Entering Extended Passive Mode (|||{port}|)")
    return waiting


def converse(client):
    client.send("220-small FTP server")
    client.send("220 ready")
    user, known, folder, waiting = "", False, "", None
    while (line := client.line()) is not None:
        command, _, rest = line.partition(" ")
        command = command.upper()
        path = f"{folder}/{rest}" if folder else rest
        if command == "QUIT":
            client.send("221 bye")
            return
        elif command == "USER":
            user = rest
            client.send("331 and the password?")
        elif command == "PASS":
            known = user == "anonymous" or (user, rest) == ("ann", "lunch")
            client.send("230 welcome" if known else "530 wrong")
        elif not known:
            client.send("530 log in first")
        elif command == "TYPE":
            client.send("200 as you like")
        elif command == "CWD":
            folder = path
            client.send("250 there")
        elif command in ("EPSV", "PASV"):
            waiting = passive(client, command)
        elif command == "SIZE" and path in FILES:
            client.send(f"213 {len(FILES[path])}")
        elif command == "RETR" and path in FILES and waiting:
            send_over(client, waiting, FILES[path])
        elif command == "STOR" and (user != "ann" or not rest):
            client.send("553 only ann stores files here")
        elif command == "STOR" and waiting:
            receive_over(client, waiting, path)
        elif command in ("LIST", "NLST") and waiting:
            found = entries(folder)
            lines = found.values() if command == "LIST" else found
            text = "".join(f"{line}\r\n" for line in lines)
            send_over(client, waiting, text.encode())
        elif command in ("SIZE", "RETR"):
            client.send("550 no such file")
        else:
            client.send("502 no")


serve(converse)
