"""Python's smtplib: one message to one recipient. [T-M2]
python3 use_smtplib.py [HOST] [PORT]"""

import smtplib
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 2525

smtp = smtplib.SMTP(host, port, timeout=10)  # socket(), connect(): 220
refused = smtp.sendmail(                     # MAIL, RCPT, DATA, the dot
    "ann@example.org", ["bob@example.org"],
    "Subject: Lunch\r\n\r\nTwelve o'clock?\r\n")
print("refused:", refused)                   # {}: nobody
print(smtp.quit()[0])                        # 221
