# Handout T (Terna), ordinary pipes [T-X3]: os.pipe() and os.fork(), the two
# steps apart. The child is a copy of the parent, with both descriptors; each
# process closes the end that it does not use.
#
#     python3 fork.py WORD...
import os
import sys

reading, writing = os.pipe()
child = os.fork()  # from here on there are two of us

if child == 0:
    os.close(writing)  # or our own read() would never see the end of file
    while True:
        data = os.read(reading, 1024)
        if not data:
            break
        print("child read", data, flush=True)
    print("child: end of file", flush=True)
    os._exit(0)

os.close(reading)  # or a write() after the child's death would not fail
for word in sys.argv[1:]:
    os.write(writing, word.encode())
os.close(writing)
os.waitpid(child, 0)
print("parent: the child has ended", flush=True)
