# The echo servers that Python's standard library offers: one thread for each
# TCP connection, one for each datagram. Peers of `make bench-echo`.
#
#     python3 peers.py tcp|udp HOST PORT
import socketserver
import sys


class EchoTcp(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


class EchoUdp(socketserver.BaseRequestHandler):
    def handle(self):
        data, socket = self.request
        socket.sendto(data, self.client_address)


class TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024  # the default, 5, would drop a burst of clients


class UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True


protocol, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
if protocol == "tcp":
    server = TcpServer((host, port), EchoTcp)
else:
    server = UdpServer((host, port), EchoUdp)
server.serve_forever()
