# Handout T (Terna), RPC [T-X2] [T-Q7]: a client stub in Python. A name after
# `server.` becomes the method, the arguments become params, and the call
# looks local. Modules json, secrets and
# socket, nothing else.
#
#     python3 client.py HOST PORT
import json
import secrets
import socket
import sys


class Fault(Exception):
    pass


class Stub:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=10)
        self.lines = self.socket.makefile("rb")
        # By this name and a number a server with --at-most-once knows a
        # call again. An id that is only a number names nobody.
        self.name = secrets.token_hex(8)
        self.count = 0

    def exchange(self, message):
        # The line end is the frame: without it the server waits for more.
        self.socket.sendall(json.dumps(message).encode() + b"\n")
        return json.loads(self.lines.readline())

    def request(self, method, args, kwargs):
        self.count += 1
        message = {"jsonrpc": "2.0", "method": method,
                   "id": f"{self.name}/{self.count}"}
        if args or kwargs:
            message["params"] = list(args) or kwargs
        return message

    def call(self, method, *args, **kwargs):
        request = self.request(method, args, kwargs)
        answer = self.exchange(request)
        assert answer["jsonrpc"] == "2.0" and answer["id"] == request["id"]
        if "error" in answer:
            error = answer["error"]
            raise Fault(f"{error['code']} {error['message']}")
        return answer["result"]

    def __getattr__(self, name):
        return lambda *args, **kwargs: self.call(name, *args, **kwargs)


server = Stub(sys.argv[1], int(sys.argv[2]))
print("2 + 3 =", server.add(2, 3))
print("7 / 2 =", server.divide(b=2, a=7))
for wrong in (lambda: server.divide(1, 0), lambda: server.add(1),
              lambda: server.fly(), lambda: server.add("1", 2)):
    try:
        print(wrong())
    except Fault as fault:
        print("fault:", fault)

value = {"ä": [1, 2.5, None, True], "nested": {"é": "ß"}}
print("new:", server.call("table.put", "colour", value))
print("same:", server.call("table.get", "colour") == value)

batch = [server.request("add", (i, i), {}) for i in range(3)]
batch.insert(1, {"jsonrpc": "2.0", "method": "counter.increment"})
answers = server.exchange(batch)
print("batch:", sorted(answer["result"] for answer in answers))
print("counter:", server.call("counter.read"))
