# Handout D (Durham), tasks 1 and 3 [D-T1.1] [D-T3.2] [D-T3.4]: send each
# line of the input as one message, without its newline. It keeps no count of
# its own, so it can go past the quota.
#
#     python3 client.py HOST PORT [--id ID] [--reply] [--gap S] < LINES
#
# --id sends "ID <id>" first; it and --reply wait for an answer each time.
# --gap is the pause between messages, in seconds: bare strings sent at once
# run together on the wire, as TCP keeps no boundaries.
import argparse
import socket
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("host")
parser.add_argument("port", type=int)
parser.add_argument("--id")
parser.add_argument("--reply", action="store_true")
parser.add_argument("--gap", type=float, default=0.5)
args = parser.parse_args()

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect((args.host, args.port))


def say(text):
    """Sends one message; False when the server has gone away."""
    client.sendall(text.encode())
    if args.id is None and not args.reply:
        return True
    answer = client.recv(1024)
    if not answer:
        print("server closed the connection", flush=True)
        return False
    print("server:", answer.decode(errors="replace").rstrip(), flush=True)
    return True


try:
    if args.id is not None:
        say("ID " + args.id)
    for line in sys.stdin:
        text = line.rstrip("\r\n")
        if text and not say(text):
            break
        time.sleep(args.gap)
except ConnectionError as problem:
    print("server closed the connection:", problem, flush=True)
client.close()
