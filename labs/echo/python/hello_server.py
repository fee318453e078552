# Handout T (Terna), the answer to T-Q5 [T-E]: accept one client, receive once,
# greet, close. As printed, except for two lines that our tests need: HOST and
# PORT, and what it listens on. (The handout's sheet has lost the underscores.)
#
#     python3 hello_server.py [HOST PORT]        without them: 127.0.0.1 8080
import socket
import sys

host, port = sys.argv[1:3] or ("127.0.0.1", 8080)

# Create a socket
server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
# Bind the socket to a specific address and port
server_socket.bind((host, int(port)))
# Listen for incoming connections
server_socket.listen()
print("listening on %s:%d" % server_socket.getsockname(), flush=True)
# Accept a connection
client_socket, client_address = server_socket.accept()
# Receive data from the client
data = client_socket.recv(1024)
# Send a response to the client
client_socket.sendall(b"Hello, client!")
# Close the sockets
client_socket.close()
server_socket.close()
