"""Python's imaplib: login, select, search, fetch. [T-M2]
python3 use_imaplib.py [HOST] [PORT]"""

import imaplib
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 14300

imap = imaplib.IMAP4(host, port, timeout=10)  # socket(), connect(): * OK
imap.login("ann", "lunch")
print("messages:", imap.select("INBOX", readonly=True)[1][0].decode())
found = imap.search(None, "SUBJECT", '"Re: Lunch"')[1][0].decode()
print("found:", found)
message = imap.fetch(found, "(BODY.PEEK[])")[1][0][1]
print(message.decode().replace("\r\n", "\n"), end="")
imap.logout()
