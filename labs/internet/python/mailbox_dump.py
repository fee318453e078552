"""Fetches a mailbox twice, by poplib and by imaplib, into files: pop3-1,
pop3-2 … in the order of the mailbox, and imap-UID. Python's own modules are
the second opinion on `fetch`. [T-M]
python3 mailbox_dump.py POP3_PORT IMAP_PORT USER PASSWORD FOLDER"""

import imaplib
import pathlib
import poplib
import sys

pop3_port, imap_port, user, password, folder = sys.argv[1:]
folder = pathlib.Path(folder)

poplib._MAXLINE = 1 << 20
pop3 = poplib.POP3("127.0.0.1", int(pop3_port), timeout=10)
pop3.user(user)
pop3.pass_(password)
for number in range(1, pop3.stat()[0] + 1):
    lines = pop3.retr(number)[1]
    data = b"".join(line + b"\r\n" for line in lines)
    (folder / f"pop3-{number}").write_bytes(data)
pop3.quit()

imap = imaplib.IMAP4("127.0.0.1", int(imap_port), timeout=10)
imap.login(user, password)
imap.select("INBOX", readonly=True)
for uid in imap.uid("SEARCH", "ALL")[1][0].split():
    data = imap.uid("FETCH", uid.decode(), "(BODY.PEEK[])")[1]
    (folder / f"imap-{uid.decode()}").write_bytes(data[0][1])
imap.logout()
