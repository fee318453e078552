# Handout T (Terna), the simple client [T-C]: connect, print what the server
# sends, close. It calls recv() once, so it may print a part of the greeting.
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
