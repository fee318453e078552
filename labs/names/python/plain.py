# Handout T (Terna), the table of words [T-V1] to [T-V5], as in plain.rs.
#
#     python3 plain.py HOST PORT
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
print(f"this machine's own name is '{socket.gethostname()}'")
answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
for family, _, _, _, address in answers:
    print(f"hostname  '{host}' has the address {address[0]}")
print(f"port      {port}")
domain = answers[0][0]
for kind, means in ((socket.SOCK_STREAM, "TCP"), (socket.SOCK_DGRAM, "UDP")):
    s = socket.socket(domain, kind, 0)
    print(f"domain    {domain.name}")
    print(f"type      {kind.name}")
    print(f"protocol  0, which means {means} here")
    local = "{}:{}".format(*s.getsockname())
    print(f"socket({domain.name}, {kind.name}, 0) has the address {local}")
    s.close()
