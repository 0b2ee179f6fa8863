"""Step 10 as the tutorials write it: a chat room on select. `room.py [PORT]`.

Its faults: after an orderly end (an empty `recv`) the client stays in the list, which is "readable" for ever, so the loop takes
a whole core; one send that waits stops everybody; the address in the offline line is that of whoever connected last; the
list is changed while it is walked; a character that is cut in two is an error, and its sender is dropped for it."""
import select
import socket
import sys

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('127.0.0.1', int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
listener.listen(10)
print('listening on %s:%d' % listener.getsockname(), flush=True)
print('Chat server started on port', listener.getsockname()[1], flush=True)
connections = [listener]


def broadcast(sender, message):
    for s in connections:
        if s is not listener and s is not sender:
            try:
                s.send(message.encode())
            except OSError:
                s.close()
                connections.remove(s)


while True:
    readable, _, _ = select.select(connections, [], [])
    for s in readable:
        if s is listener:
            connection, address = listener.accept()
            connections.append(connection)
            print('Client (%s, %s) connected' % address, flush=True)
            broadcast(connection, '[%s:%s] entered room\n' % address)
        else:
            try:
                data = s.recv(4096)
                if data:  # and otherwise? nothing
                    broadcast(s, '\r<' + str(s.getpeername()) + '> ' + data.decode())
            except (OSError, UnicodeDecodeError):
                broadcast(s, 'Client (%s, %s) is offline' % address)
                print('Client (%s, %s) is offline' % address, flush=True)
                s.close()
                connections.remove(s)
