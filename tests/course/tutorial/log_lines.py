"""The log server: two lines, each answered; prints who we are, and the answers."""
import socket
import sys

s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
print('%s:%d' % s.getsockname())
file = s.makefile('rw', newline='\r\n')
for line in ['the disk is full', 'the disk is empty again']:
    file.write(line + '\n')  # makefile makes it CR LF
    file.flush()
    print(file.readline().rstrip())
