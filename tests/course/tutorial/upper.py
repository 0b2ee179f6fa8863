"""Steps 5 to 8: sends some words, one after the other, and prints what comes back."""
import socket
import sys

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(('127.0.0.1', int(sys.argv[1])))
for word in ['hello', 'Threading', 'TCP server']:
    s.send(word.encode())
    answer = b''
    while len(answer) < len(word):
        answer += s.recv(1024)
    print(answer.decode())
s.shutdown(socket.SHUT_WR)
print('and then', s.recv(1024))
s.close()
