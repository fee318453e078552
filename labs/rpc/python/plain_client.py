# Handout T (Terna), RPC [T-X2]: a stub with one procedure, as in
# plain_client.rs. `add` looks like a local function.
#
#     python3 plain_client.py HOST PORT A B
import json
import socket
import sys


def add(server, a, b):
    call = {"jsonrpc": "2.0", "method": "add", "params": [a, b], "id": 1}
    server.sendall(json.dumps(call).encode() + b"\n")
    response = json.loads(server.makefile("rb").readline())
    return response["result"]


host, port = sys.argv[1], int(sys.argv[2])
a, b = int(sys.argv[3]), int(sys.argv[4])
with socket.create_connection((host, port), timeout=10) as server:
    print(f"{a} + {b} = {add(server, a, b)}")
