"""Step 2, the other side: names with slashes, '..' and NUL, wrong sizes, a client that dies, two at once."""
import socket
import struct
import sys


def client():
    return socket.create_connection(('127.0.0.1', int(sys.argv[1])))


def header(name, size):
    return struct.pack('36sl', name, size)


def until_the_end(s):
    """Our end of file, and then the server's: it has done all it wants to do."""
    try:
        s.shutdown(socket.SHUT_WR)
        while s.recv(1024):
            pass
    except OSError:
        pass  # it has hung up, with our bytes unread
    s.close()


def attack(name, size, content):
    s = client()
    try:
        s.sendall(header(name, size) + content)
    except OSError:
        pass
    until_the_end(s)


attack(b'/etc/absolute', 1, b'x')
attack(b'../above', 1, b'x')
attack(b'deep/er', 1, b'x')
for name in [b'', b'.', b'..', b'folder/', b'nul\0behind', b'line\nend', b'\xff\xfe']:
    attack(name, 1, b'x')
for size in [-1, 2 ** 62, -2 ** 63]:
    attack(b'wrong-size', size, b'x')
attack(b'dies-half-way', 100, b'x' * 50)

one, other = client(), client()
for s, name in [(one, b'one'), (other, b'other')]:
    s.sendall(header(name, 6) + b'abc')
for s in [other, one]:
    s.sendall(b'def')
    until_the_end(s)
print('done')
