"""A Telnet server that asks for options, then answers lines in capitals.
RFC 854. python3 telnet_server.py [HOST] [PORT]"""

from lines import serve

IAC, DONT, DO, WONT, WILL = 255, 254, 253, 252, 251
ECHO, AHEAD, WINDOW = 1, 3, 31


def lines(client, answers):
    """Lines of text; the three bytes of each answer go into `answers`."""
    line = b""
    while byte := client.file.read(1):
        if byte[0] == IAC:
            following = client.file.read(1)
            if following[0] == IAC:
                line += following
            else:
                answers.append((following[0], client.file.read(1)[0]))
        elif byte == b"\n":
            yield line.decode("latin-1").rstrip("\r")
            line = b""
        else:
            line += byte


def converse(client):
    for verb, option in (DO, WINDOW), (WILL, ECHO), (WILL, AHEAD):
        client.send_bytes(bytes([IAC, verb, option]))
    client.send("Welcome. Type quit to leave.")
    answers = []
    for line in lines(client, answers):
        if line == "quit":
            break
        client.send(line.upper())
    polite = {(WONT, WINDOW), (DONT, ECHO), (DONT, AHEAD)}
    client.send("Bye." if polite.issuperset(answers) else "Impolite!")


serve(converse)
