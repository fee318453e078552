"""Python's ftplib: a list, a file fetched, a file stored. [T-M2]
python3 use_ftplib.py [HOST] [PORT]"""

import ftplib
import io
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 2121

ftp = ftplib.FTP(timeout=10)
ftp.connect(host, port)                 # socket(), connect(), recv(): 220
ftp.login("ann", "lunch")               # USER, PASS
print("list:", *sorted(ftp.nlst()))     # PASV, NLST, the data, 226

lines = []
ftp.retrlines("RETR readme.txt", lines.append)
print("got:", *lines)

print("put:", ftp.storbinary("STOR note.txt", io.BytesIO(b"Two more.\r\n")))
print("size:", ftp.size("note.txt"))
ftp.quit()
