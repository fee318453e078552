# Handout W (Week 5), task 1 over UDP [W-T1.3] [W-K1]: send one datagram,
# print the one that comes back. The sentence is the third argument, or else
# the first line of the input. Unlike the handout's, it stops waiting.
#
#     python3 udp_client.py HOST PORT [SENTENCE]
import socket
import sys

server = (sys.argv[1], int(sys.argv[2]))

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(2)

if len(sys.argv) > 3:
    sentence = sys.argv[3]
else:
    sentence = sys.stdin.readline().rstrip("\r\n")
client.sendto(sentence.encode(), server)
try:
    answer, address = client.recvfrom(2048)
    print(answer.decode(errors="replace"), flush=True)
except socket.timeout:
    sys.exit("no answer")
client.close()
