# Handout W (Week 5), task 1 over TCP [W-T1.3] [W-K3]: send one sentence
# without a newline, print the answer of one recv(). The sentence is the
# third argument, or else the first line of the input.
#
#     python3 tcp_client.py HOST PORT [SENTENCE]
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect((host, port))

if len(sys.argv) > 3:
    sentence = sys.argv[3]
else:
    sentence = sys.stdin.readline().rstrip("\r\n")
client.sendall(sentence.encode())
answer = client.recv(1024)
print("From Server:", answer.decode(errors="replace"), flush=True)
client.close()
