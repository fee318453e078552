# Handout T (Terna), named pipes [T-X3]: makes the FIFO if need be, waits in
# open() for a writer, prints what comes until the last writer has closed.
#
#     python3 fifo_reader.py PATH
import os
import sys

path = sys.argv[1]
try:
    os.mkfifo(path, 0o600)
except FileExistsError:
    pass

with open(path, "rb", buffering=0) as fifo:  # waits for a writer
    while True:
        data = fifo.read(4096)
        if not data:
            break
        print("read", data, flush=True)
print("end of file", flush=True)
