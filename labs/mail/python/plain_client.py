# The companion's mail client, completed (Handout W, task 4) [W-T4a]: the same
# steps as plain_client.rs.
#
#     python3 plain_client.py HOST PORT FROM TO
import socket
import sys

host, port, sender, recipient = sys.argv[1:5]

# a) a TCP connection with a mail server
client = socket.create_connection((host, int(port)), timeout=10)
replies = client.makefile("rb")


def reply(wanted):
    line = replies.readline().decode().rstrip()
    print("S:", line)
    if line[:3] != wanted:
        sys.exit(f"{wanted} reply not received from server.")


def command(line, wanted):
    print("C:", line)
    client.sendall(line.encode() + b"\r\n")
    reply(wanted)


# b) dialogue with the mail server by SMTP
reply("220")
command("HELO localhost", "250")
command(f"MAIL FROM:<{sender}>", "250")
command(f"RCPT TO:<{recipient}>", "250")

# c) send an email message to the recipient
command("DATA", "354")
client.sendall(f"To: <{recipient}>\r\nSubject: networks\r\n\r\n".encode())
client.sendall(b"I love computer networks!\r\n")
command(".", "250")

# d) close the TCP connection
command("QUIT", "221")
client.close()
