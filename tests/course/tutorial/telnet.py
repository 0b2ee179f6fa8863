"""The tutorials' chat client, `telnet.py HOST PORT`: select on the keyboard and the socket, in one thread."""
import select
import socket
import sys


def prompt():
    sys.stdout.write('<You> ')
    sys.stdout.flush()


if len(sys.argv) < 3:
    print('Usage : python telnet.py hostname port')
    sys.exit()

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.settimeout(2)
try:
    s.connect((sys.argv[1], int(sys.argv[2])))
except OSError:
    print('Unable to connect')
    sys.exit()

print('Connected to remote host. Start sending messages')
prompt()
while True:
    readable, _, _ = select.select([sys.stdin, s], [], [])
    for one in readable:
        if one is s:
            data = s.recv(4096)
            if not data:
                print('\nDisconnected from chat server')
                sys.exit()
            sys.stdout.write(data.decode())
        else:
            s.send(sys.stdin.readline().encode())
        prompt()
