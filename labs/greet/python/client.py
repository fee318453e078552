# Handout T (Terna), the simple client [T-C]: connect, print what the server
# says, leave. One recv() only: half a greeting is printed as half a greeting.
#
#     python3 client.py HOST PORT
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect((host, port))
greeting = client.recv(1024)
print(greeting.decode(errors="replace"), flush=True)
client.close()
