"""Python's poplib: how many messages there are, and the first one. [T-M2]
python3 use_poplib.py [HOST] [PORT]"""

import poplib
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 11000

pop3 = poplib.POP3(host, port, timeout=10)  # socket(), connect(), recv(): +OK
pop3.user("ann")
pop3.pass_("lunch")
print("%d messages, %d bytes" % pop3.stat())
for line in pop3.retr(1)[1]:                # until the line with one dot
    print(line.decode())
pop3.quit()
