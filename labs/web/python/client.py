"""Asks a web server as Python's own library does: urllib, then http.client
with three requests on one connection, then HEAD."""

import http.client
import sys
import urllib.request

host, port = sys.argv[1], int(sys.argv[2])
# A proxy of the environment must not come between.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

with opener.open(f"http://{host}:{port}/HelloWorld.html", timeout=10) as page:
    print("urllib", page.status, len(page.read()))

connection = http.client.HTTPConnection(host, port, timeout=10)
seen = []
for path in ["/dots.png", "/nowhere", "/HelloWorld.html"]:
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    seen.append(str(answer.status))
print("kept", *seen)
connection.request("HEAD", "/")
answer = connection.getresponse()
print("head", answer.status, len(answer.read()))
connection.close()
