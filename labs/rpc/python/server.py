# Handout T (Terna), RPC [T-X2] [T-Q7]: a skeleton in Python: a line of
# JSON-RPC 2.0 in, the procedure of that name, a line out.
#
#     python3 server.py HOST PORT [LOST]
#
# The server does the work, but does not send the first LOST responses. It
# remembers ids of the form CLIENT/NUMBER, so that no such call is done twice.
import json
import socket
import sys
import threading

host, port = sys.argv[1], int(sys.argv[2])
lost = int(sys.argv[3]) if len(sys.argv) > 3 else 0
counter = 0
remembered = {}
lock = threading.Lock()


def add(a, b):
    return a + b


def subtract(minuend, subtrahend):
    return minuend - subtrahend


def increment(by=1):
    global counter
    counter += by
    return counter


PROCEDURES = {
    "add": add,
    "subtract": subtract,
    "counter.increment": increment,
}


def fault(code, message):
    return {"error": {"code": code, "message": message}}


def run(request):
    procedure = PROCEDURES.get(request["method"])
    if procedure is None:
        return fault(-32601, "Method not found")
    params = request.get("params", [])
    try:
        if isinstance(params, dict):
            return {"result": procedure(**params)}
        return {"result": procedure(*params)}
    except TypeError:
        return fault(-32602, "Invalid params")


def answer(request):
    version = {"jsonrpc": "2.0", "id": None}
    if not isinstance(request, dict) or request.get("jsonrpc") != "2.0" \
            or not isinstance(request.get("method"), str):
        return version | fault(-32600, "Invalid Request")
    if "id" not in request:
        run(request)
        return None
    key = request["id"]
    with lock:
        if not isinstance(key, str) or "/" not in key:
            return version | {"id": key} | run(request)
        if key not in remembered:
            remembered[key] = run(request)
        return version | {"id": key} | remembered[key]


def answer_line(line):
    try:
        message = json.loads(line)
    except ValueError:
        return answer(None) | fault(-32700, "Parse error")
    if not isinstance(message, list) or not message:
        return answer(message)
    return [reply for reply in map(answer, message) if reply] or None


def converse(client):
    global lost
    with client, client.makefile("rb") as lines:
        for line in lines:
            print("request:", line.decode(errors="replace").strip())
            reply = answer_line(line)
            if reply is None:
                continue
            if lost > 0:
                lost -= 1
                print("lost:", reply)
                continue
            client.sendall(json.dumps(reply).encode() + b"\n")


server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((host, port))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
while True:
    client, address = server.accept()
    threading.Thread(target=converse, args=(client,), daemon=True).start()
