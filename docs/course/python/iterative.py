"""Step 1 as the tutorials write it: one client at a time. `iterative.py [PORT]`."""
import socket
import sys

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', int(sys.argv[1]) if len(sys.argv) > 1 else 50008))
s.listen(5)
print('listening on %s:%d' % s.getsockname(), flush=True)
while True:
    connection, address = s.accept()
    while data := connection.recv(1024):
        connection.sendall(b'Thank you, I have read it.\n')
    connection.close()
