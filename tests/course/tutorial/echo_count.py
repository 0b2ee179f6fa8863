"""The reactor's echo: two connections, each told how many there are, then an echo on the first."""
import socket
import sys

address = ('127.0.0.1', int(sys.argv[1]))
first = socket.create_connection(address)
print(first.recv(1024).decode(), end='')
second = socket.create_connection(address)
print(second.recv(1024).decode(), end='')
first.sendall(b'hello\r\n')
print(first.recv(1024).decode(), end='')
