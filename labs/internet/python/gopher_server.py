"""A Gopher server with a menu, a text and some bytes. RFC 1436.
python3 gopher_server.py [HOST] [PORT]"""

from lines import serve


def converse(client):
    selector = client.line()
    host, port = client.connection.getsockname()[:2]
    place = f"\t{host}\t{port}\r\n"
    if selector == "":
        menu = "iA small burrow\t" + place
        menu += "0About this\t/about" + place
        menu += "9Every byte\t/bytes" + place
        client.send_dotted(menu.encode())
    elif selector == "/about":
        client.send_dotted(b"Menus of menus, before the web.\r\n.\r\n")
    elif selector == "/bytes":
        client.send_bytes(bytes(range(256)) * 4)
    else:
        client.send_dotted(b"3No such thing\t\terror.host\t1\r\n")


serve(converse)
