"""Fetches files by ftplib: the second opinion on `fetch`. [T-M]
python3 ftp_dump.py PORT FOLDER NAME…"""

import ftplib
import pathlib
import sys

port, folder, *names = sys.argv[1:]
ftp = ftplib.FTP(timeout=10)
ftp.connect("127.0.0.1", int(port))
ftp.login()
for index, name in enumerate(names):
    with open(pathlib.Path(folder) / str(index), "wb") as file:
        ftp.retrbinary(f"RETR {name}", file.write)
with open(pathlib.Path(folder) / "list", "w") as file:
    ftp.cwd("pub")
    ftp.retrlines("LIST", lambda line: print(line, file=file))
ftp.quit()
