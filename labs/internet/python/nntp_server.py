"""A news server with one group and one article. RFC 3977, as far as reading
goes. python3 nntp_server.py [HOST] [PORT]"""

from lines import serve

ID = "<7@example.org>"
ARTICLE = (
    b"From: Ann <ann@example.org>\r\n"
    b"Newsgroups: local.test\r\n"
    b"Subject: Hello\r\n"
    b"Message-ID: <7@example.org>\r\n"
    b"\r\n"
    b".signature files are read, too.\r\n"
)


def converse(client):
    client.send("201 small news server, reading only")
    group = False
    while (line := client.line()) is not None:
        words = line.split() + ["", ""]
        command = words[0].upper()
        if command == "QUIT":
            client.send("205 bye")
            return
        elif command == "LIST":
            client.send("215 the groups")
            client.send_dotted(b"local.test 7 7 n\r\n")
        elif command == "GROUP" and words[1] == "local.test":
            group = True
            client.send("211 1 7 7 local.test")
        elif command == "GROUP":
            client.send("411 no such group")
        elif command == "OVER" and group:
            client.send("224 overview")
            client.send_dotted(b"7\tHello\tAnn <ann@example.org>\t\t\t\t\t\r\n")
        elif command == "ARTICLE" and words[1] in ("7" if group else "", ID):
            client.send(f"220 7 {ID}")
            client.send_dotted(ARTICLE)
        else:
            client.send("423 no" if command == "ARTICLE" else "500 what?")


serve(converse)
