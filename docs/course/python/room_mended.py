"""The room of room.py with two of its faults mended: an empty `recv` is the end, and the offline line has the client's own
address. `room_mended.py [PORT]`."""
import select
import socket
import sys

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('127.0.0.1', int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
listener.listen(10)
print('listening on %s:%d' % listener.getsockname(), flush=True)
print('Chat server started on port', listener.getsockname()[1], flush=True)
addresses = {}


def broadcast(sender, message):
    for s in addresses:
        if s is not sender:
            try:
                s.send(message)
            except OSError:
                pass  # its own read fails next, and then it goes


while True:
    readable, _, _ = select.select([listener, *addresses], [], [])
    for s in readable:
        if s is listener:
            connection, address = listener.accept()
            addresses[connection] = address
            print('Client (%s, %s) connected' % address, flush=True)
            broadcast(connection, b'[%s:%d] entered room\n' % (address[0].encode(), address[1]))
            continue
        try:
            data = s.recv(4096)
        except OSError:
            data = b''
        if data:
            broadcast(s, b"\r<%s> " % str(addresses[s]).encode() + data)
        else:
            offline = 'Client (%s, %s) is offline' % addresses.pop(s)
            s.close()
            broadcast(None, offline.encode())
            print(offline, flush=True)
