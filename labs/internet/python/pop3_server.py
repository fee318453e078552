"""A POP3 server with one mailbox: ann, password lunch. RFC 1939, as far as
reading goes. python3 pop3_server.py [HOST] [PORT]"""

from lines import LETTERS, serve


def converse(client):
    client.send("+OK small POP3 server ready")
    user, known = None, False
    while (line := client.line()) is not None:
        words = line.split()
        command = words[0].upper() if words else ""
        number = int(words[1]) if words[1:] and words[1].isdigit() else None
        letter = None
        if known and number and number <= len(LETTERS):
            letter = LETTERS[number - 1]
        if command == "QUIT":
            client.send("+OK bye")
            return
        elif command == "USER":
            user = line[5:]
            client.send("+OK and the password?")
        elif command == "PASS":
            known = (user, line[5:]) == ("ann", "lunch")
            client.send("+OK welcome" if known else "-ERR wrong")
        elif known and command == "STAT":
            client.send(f"+OK {len(LETTERS)} {sum(map(len, LETTERS))}")
        elif known and command == "LIST" and number is None:
            client.send(f"+OK {len(LETTERS)} messages")
            sizes = enumerate(map(len, LETTERS), 1)
            lines = [f"{index} {size}\r\n" for index, size in sizes]
            client.send_dotted("".join(lines).encode())
        elif command == "LIST" and letter:
            client.send(f"+OK {number} {len(letter)}")
        elif command == "RETR" and letter:
            client.send(f"+OK {len(letter)} octets")
            client.send_dotted(letter)
        else:
            client.send("-ERR no")


serve(converse)
