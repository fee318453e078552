"""An origin for the lab proxy: Python's own http.server. A cache may keep
/hello for a minute, and nothing else."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

count = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global count
        count += 1
        body = f"hello from the origin, request {count}\n".encode()
        self.send_response(200)
        kept = self.path == "/hello"
        self.send_header("Cache-Control", "max-age=60" if kept else "no-store")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler)
print(f"listening on {sys.argv[1]}:{server.server_port}", flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    pass
