# Handout G (IIT Goa), question 3 [G-3a]: answer SEND_DATE with today's date
# and SEND_TIME with the local time as HH:MM:SS, for ever, over UDP.
#
#     python3 server.py HOST PORT
import datetime
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((host, port))
print("listening on %s:%d" % server.getsockname(), flush=True)

while True:
    try:
        request, address = server.recvfrom(1024)
        print("request:", request.decode(errors="replace"), flush=True)
        now = datetime.datetime.now()
        if request == b"SEND_DATE":
            answer = now.strftime("%Y-%m-%d")
        elif request == b"SEND_TIME":
            answer = now.strftime("%H:%M:%S")
        else:
            answer = "ERROR unknown request"
        server.sendto(answer.encode(), address)
    except OSError as problem:
        print("datagram lost:", problem, flush=True)
