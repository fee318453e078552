# Handout T (Terna), named pipes [T-X3]: makes the FIFO if need be, waits in
# open() for a reader, writes each word as a line.
#
#     python3 fifo_writer.py PATH WORD...
import os
import sys

path = sys.argv[1]
try:
    os.mkfifo(path, 0o600)
except FileExistsError:
    pass

with open(path, "wb", buffering=0) as fifo:  # waits for a reader
    print("open", flush=True)
    for word in sys.argv[2:]:
        fifo.write(word.encode() + b"\n")
