# Handout E (ELEN4017), task 4 [E-T4]: one datagram for each line of the
# input, and up to two seconds of waiting for each echo. An empty line is an
# empty datagram, which is allowed and comes back.
#
#     python3 udp_client.py HOST PORT < LINES
import socket
import sys

server = (sys.argv[1], int(sys.argv[2]))

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(2)

for line in sys.stdin:
    client.sendto(line.rstrip("\r\n").encode(), server)
    try:
        answer, address = client.recvfrom(2048)
        print("echo:", answer.decode(errors="replace"), flush=True)
    except socket.timeout:
        print("no answer", flush=True)
client.close()
