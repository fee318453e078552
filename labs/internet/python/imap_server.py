"""An IMAP server with one user, ann, password lunch. RFC 3501, as far as
`fetch` goes. python3 imap_server.py [HOST] [PORT]"""

import re

from lines import LETTERS, serve

FIRST = 7  # the UIDs begin here: they are no places


def subject(letter):
    return re.search(rb"Subject: .*\r\n", letter)[0] + b"\r\n"


def fetch(client, asked):
    """UID FETCH, of one message or of all."""
    for place, letter in enumerate(LETTERS, 1):
        uid = FIRST + place - 1
        if not asked.startswith(("1:*", f"{uid} ")):
            continue
        if "BODY.PEEK[]" in asked:
            item, data = "BODY[]", letter
        else:
            item, data = "BODY[HEADER.FIELDS (SUBJECT)]", subject(letter)
        head = f"* {place} FETCH (UID {uid} RFC822.SIZE {len(letter)} "
        client.send(f"{head}{item} {{{len(data)}}}")
        client.send_bytes(data + b")\r\n")


def converse(client):
    client.send("* OK small IMAP server ready")
    known = False
    while (line := client.line()) is not None:
        tag, _, rest = line.partition(" ")
        command, _, rest = rest.partition(" ")
        command = command.upper()
        done = f"{tag} OK {command} done"
        if command == "LOGOUT":
            client.send("* BYE")
            client.send(done)
            return
        elif command == "CAPABILITY":
            client.send("* CAPABILITY IMAP4rev1")
            client.send(done)
        elif command == "LOGIN":
            known = rest == '"ann" "lunch"'
            client.send(done if known else f"{tag} NO wrong")
        elif known and command == "LIST":
            client.send('* LIST (\\HasNoChildren) "/" INBOX')
            client.send('* LIST (\\HasNoChildren) "/" "Entw&APw-rfe"')
            client.send(done)
        elif known and command == "SELECT" and rest == '"INBOX"':
            client.send(f"* {len(LETTERS)} EXISTS")
            client.send(done)
        elif known and command == "UID" and rest.startswith("FETCH "):
            fetch(client, rest[6:])
            client.send(done)
        else:
            client.send(f"{tag} NO not here")


serve(converse)
