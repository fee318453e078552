# Handout G (IIT Goa), question 3 [G-3b] [G-3c]: ask for the date or the time,
# whichever the dice say, print the answer, wait 1 to 2 seconds, ask again.
# COUNT requests, or for ever; a GAP in seconds replaces the random wait.
#
#     python3 client.py HOST PORT [COUNT [GAP]]
import itertools
import random
import socket
import sys
import time

server = (sys.argv[1], int(sys.argv[2]))
count = int(sys.argv[3]) if len(sys.argv) > 3 else None
gap = float(sys.argv[4]) if len(sys.argv) > 4 else None

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(2)

for turn in itertools.count() if count is None else range(count):
    if turn > 0:
        time.sleep(random.uniform(1, 2) if gap is None else gap)
    request = random.choice(["SEND_DATE", "SEND_TIME"])
    client.sendto(request.encode(), server)
    try:
        answer, address = client.recvfrom(1024)
        print(request, answer.decode(errors="replace"), flush=True)
    except socket.timeout:
        print(request, "no answer", flush=True)
client.close()
