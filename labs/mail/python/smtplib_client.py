# Python's own mail client, smtplib, for the sink [W-T4a]: delivers a message
# to all recipients that are taken, and prints what became of the others.
#
#     python3 smtplib_client.py HOST PORT FROM TO[,TO…] [CERT [USER PASSWORD]]
#
# With CERT, a file: STARTTLS, and the server must have that certificate.
import smtplib
import ssl
import sys
from email.message import EmailMessage

host, port = sys.argv[1], int(sys.argv[2])
sender, recipients = sys.argv[3], sys.argv[4].split(",")

message = EmailMessage()
message["From"], message["To"] = sender, ", ".join(recipients)
message["Subject"] = "Grüße"
message.set_content("A line.\n.a dot\n..two dots\n.\nFrom me\nthe end\n")

client = smtplib.SMTP(host, port, timeout=10)
if len(sys.argv) > 5:
    trust = ssl.create_default_context(cafile=sys.argv[5])
    client.starttls(context=trust)
if len(sys.argv) > 6:
    client.login(sys.argv[6], sys.argv[7])
    print(client.docmd("NOOP")[0], "logged in")
# Not client.sendmail(…, message.as_bytes()): of bytes smtplib keeps the line
# ends, lone LFs, and the sink refuses them.
refused = client.send_message(message, sender, recipients)
for recipient, (code, _) in sorted(refused.items()):
    print(code, recipient)
print(client.quit()[0], "delivered", flush=True)
