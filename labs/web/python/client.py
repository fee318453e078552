"""Fetches files from a web server with Python's own library: first with urllib,
then with http.client: three requests on one connection, then HEAD."""

import http.client
import sys
import urllib.request

host, port = sys.argv[1], int(sys.argv[2])
# Ignore a proxy that the environment names (http_proxy).
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

with opener.open(f"http://{host}:{port}/HelloWorld.html", timeout=10) as page:
    print("urllib", page.status, len(page.read()))

connection = http.client.HTTPConnection(host, port, timeout=10)
seen = []
for path in ["/dots.png", "/nowhere", "/HelloWorld.html"]:
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()  # otherwise the next request fails: the body is unread
    seen.append(str(response.status))
print("kept", *seen)
connection.request("HEAD", "/")
response = connection.getresponse()
print("head", response.status, len(response.read()))
connection.close()
