# Handout E (ELEN4017), tasks 1 to 3 [E-T1] [E-T2] [E-T3]: send each line of
# the input without its newline, wait in recv() for the echo, print it.
# After stop or exit the server closes, and recv() gives nothing.
#
#     python3 tcp_client.py HOST PORT < LINES
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect((host, port))

for line in sys.stdin:
    text = line.rstrip("\r\n")
    if not text:
        continue  # send(b"") sends nothing, so no echo would ever come
    client.sendall(text.encode())
    answer = client.recv(1024)
    if not answer:
        print("server closed the connection", flush=True)
        break
    print("echo:", answer.decode(errors="replace"), flush=True)
client.close()
