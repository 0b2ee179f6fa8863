"""Step 1, as a tutorial writes it: says something three times, and prints each answer."""
import socket
import sys

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(('127.0.0.1', int(sys.argv[1])))
for n in range(3):
    s.sendall(b'question %d' % n)
    print(s.recv(1024).decode(), end='')
s.close()
