# Handout T (Terna), the answer to T-Q6 [T-E]: connect, greet, receive once,
# print, close. As printed, except that our tests need HOST and PORT.
#
#     python3 hello_client.py [HOST PORT]        without them: 127.0.0.1 8080
import socket
import sys

host, port = sys.argv[1:3] or ("127.0.0.1", 8080)

# Create a socket
client_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
# Connect to the server
server_address = (host, int(port))
client_socket.connect(server_address)
# Send data to the server
client_socket.sendall(b"Hello, server!")
# Receive a response from the server
data = client_socket.recv(1024)
print("Received:", data.decode("utf-8"))
# Close the socket
client_socket.close()
