"""An IMAP server with one user, ann, password lunch. RFC 3501, as far as
`fetch`, imaplib and curl go. python3 imap_server.py [HOST] [PORT]"""

import re

from lines import LETTERS, serve

FIRST = 7  # the UIDs begin here: they are no places
# A quoted string, a literal that is announced at the end of a line, or an
# atom: with its brackets, BODY[HEADER.FIELDS (SUBJECT)] is one word.
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|\{(\d+)\+?\}$|((?:[^\s\[]|\[[^]]*\])+)')


def words_of(client, line):
    """The words of a command. A literal is read from the connection: the
    client waits for our + before it sends one, unless it wrote {5+}."""
    words = []
    while line is not None and (found := WORD.match(line.lstrip(" "))):
        line = line.lstrip(" ")[found.end():]
        if found[2]:
            if not found[0].endswith("+}"):
                client.send("+ go on")
            words.append(client.file.read(int(found[2])).decode("latin-1"))
            line = client.line()
        elif found[3]:
            words.append(found[3])
        else:
            words.append(re.sub(r"\\(.)", r"\1", found[1]))
    return words


def field(letter, name):
    head = letter.split(b"\r\n\r\n")[0] + b"\r\n"
    found = re.search(rb"(?im)^" + name + rb":.*\r\n", head)
    return found[0] if found else b""


def chosen(numbers, count, first):
    """The places that `1:*`, `2` or `7,8` name; `first` is the first number."""
    places = set()
    for part in numbers.split(","):
        low, _, high = part.partition(":")
        low = int(low) if low.isdigit() else first + count - 1
        high = low if not high else int(high) if high.isdigit() else None
        last = first + count - 1 if high is None else high
        places.update(range(low - first + 1, last - first + 2))
    return sorted(places & set(range(1, count + 1)))


def fetch(client, numbers, items, by_uid):
    """FETCH, UID FETCH: each item of each message."""
    wanted = " ".join(items).upper().replace("PEEK", "").replace(".[", "[")
    for place in chosen(numbers, len(LETTERS), FIRST if by_uid else 1):
        letter = LETTERS[place - 1]
        data = []
        if by_uid or "UID" in wanted:
            data.append(f"UID {FIRST + place - 1}".encode())
        if "RFC822.SIZE" in wanted:
            data.append(f"RFC822.SIZE {len(letter)}".encode())
        if "FLAGS" in wanted:
            data.append(b"FLAGS ()")
        if "SUBJECT" in wanted:
            text = field(letter, b"subject") + b"\r\n"
            name = b"BODY[HEADER.FIELDS (SUBJECT)]"
            data.append(b"%s {%d}\r\n%s" % (name, len(text), text))
        elif "BODY[]" in wanted or re.search(r"RFC822(?!\.)", wanted):
            name = b"BODY[]" if "BODY[]" in wanted else b"RFC822"
            data.append(b"%s {%d}\r\n%s" % (name, len(letter), letter))
        items_of_it = b" ".join(data)
        client.send_bytes(b"* %d FETCH (%s)\r\n" % (place, items_of_it))


def search(words, by_uid):
    """SEARCH with ALL, SUBJECT, FROM, TO, TEXT; None: anything else."""
    words = [word.upper() for word in words]
    if words[:1] == ["CHARSET"]:
        words = words[2:]
    found = list(enumerate(LETTERS, 1))
    while words:
        key, *words = words
        if key == "ALL":
            continue
        if key not in ("SUBJECT", "FROM", "TO", "TEXT") or not words:
            return None
        text, *words = words
        def where(letter):
            return letter if key == "TEXT" else field(letter, key.encode())
        found = [(n, m) for n, m in found if text.encode() in where(m).upper()]
    first = FIRST - 1 if by_uid else 0
    return "".join(f" {place + first}" for place, _ in found)


def converse(client):
    client.send("* OK [CAPABILITY IMAP4rev1] small IMAP server ready")
    known = selected = False
    while (line := client.line()) is not None:
        tag, *words = words_of(client, line) or ["*"]
        command, *words = words or [""]
        command = command.upper()
        by_uid = command == "UID"
        verb, *rest = words if by_uid and words else [command, *words]
        verb = verb.upper()
        done = f"{tag} OK {command} done"
        if verb == "LOGOUT":
            client.send("* BYE")
            client.send(done)
            return
        elif verb == "CAPABILITY":
            client.send("* CAPABILITY IMAP4rev1")
            client.send(done)
        elif verb == "NOOP":
            client.send(done)
        elif verb == "LOGIN":
            known = rest == ["ann", "lunch"]
            client.send(done if known else f"{tag} NO wrong")
        elif known and verb == "LIST":
            client.send('* LIST (\\HasNoChildren) "/" INBOX')
            client.send('* LIST (\\HasNoChildren) "/" "Entw&APw-rfe"')
            client.send(done)
        elif known and verb in ("SELECT", "EXAMINE") and rest:
            selected = rest[0].upper() == "INBOX"
            if selected:
                client.send(f"* {len(LETTERS)} EXISTS")
            client.send(done if selected else f"{tag} NO no such mailbox")
        elif selected and verb == "SEARCH":
            found = search(rest, by_uid)
            if found is None:
                client.send(f"{tag} BAD only ALL, SUBJECT, FROM, TO, TEXT")
            else:
                client.send(f"* SEARCH{found}")
                client.send(done)
        elif selected and verb == "FETCH" and len(rest) > 1:
            fetch(client, rest[0], rest[1:], by_uid)
            client.send(done)
        elif selected and verb == "CLOSE":
            selected = False
            client.send(done)
        else:
            client.send(f"{tag} NO not here")


serve(converse)
