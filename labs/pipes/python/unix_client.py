# The sockets of handout T with AF_UNIX in place of AF_INET, beside its pipes
# [T-X3]: says each word, without a line end, and prints what comes back.
#
#     python3 unix_client.py PATH WORD...
import socket
import sys

client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
client.connect(sys.argv[1])
for word in sys.argv[2:]:
    client.sendall(word.encode())
    print("echo:", client.recv(1024).decode(), flush=True)
client.close()
