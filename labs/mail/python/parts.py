"""Reads messages with Python's email package and prints their header lines
and parts: what any mail program would show. Usage: parts.py FILE..."""

import sys
from email import message_from_bytes, policy

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        message = message_from_bytes(file.read(), policy=policy.SMTPUTF8)
    print(f"message: {path}")
    for name in ("From", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID"):
        for value in message.get_all(name, []):
            print(f"{name}: {value}")
    for part in message.walk():
        if part.is_multipart():
            continue
        for defect in part.defects:
            print(f"defect: {defect!r}")
        content = part.get_payload(decode=True)
        name = part.get_filename()
        print(f"part: {part.get_content_type()} {name} {content.hex()}")
