"""A browser for the lab proxy: urllib, with or without a proxy.
usage: get.py URL [--proxy HOST:PORT]"""

import sys
import urllib.error
import urllib.request

proxies = {}
if "--proxy" in sys.argv:
    proxies["http"] = "http://" + sys.argv[sys.argv.index("--proxy") + 1]
opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
try:
    answer = opener.open(sys.argv[1], timeout=10)
    status, body = answer.status, answer.read().decode()
except urllib.error.HTTPError as error:
    answer, status, body = error, error.code, ""
print(f"{status} X-Cache: {answer.headers.get('X-Cache')}")
print(body, end="")
