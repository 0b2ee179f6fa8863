"""Steps 3 and 4: sends one line, and prints what comes until the server closes."""
import socket
import sys

with socket.create_connection(('127.0.0.1', int(sys.argv[1]))) as s:
    s.sendall(b'what time is it?\n')
    while data := s.recv(1024):
        print(data.decode(), end='')
