"""The select echo's client: two connections, each part of the message on both, and then the echo of both."""
import socket
import sys

messages = ['This is the message. ', 'It will be sent ', 'in parts.']
socks = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(2)]
for s in socks:
    s.connect(('localhost', int(sys.argv[1])))
for message in messages:
    for s in socks:
        s.send(message.encode())
    for number, s in enumerate(socks):
        data = b''
        while len(data) < len(message):
            data += s.recv(1024)
        print(number, data.decode())
for s in socks:
    s.close()
