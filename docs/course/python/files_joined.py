"""Step 2 as the article writes it: a thread for each client, joined at once. Receives files. `files_joined.py [PORT] [FOLDER]`.

Its faults: it serves one client at a time after all; one `recv` is taken for a whole header; the format of the header is
that of the machine."""
import os
import socket
import struct
import sys
import threading

HEADER = '36sl'  # not the same on every machine
folder = sys.argv[2] if len(sys.argv) > 2 else '.'


def receive(connection):
    while True:
        header = connection.recv(struct.calcsize(HEADER))  # perhaps a part of it
        if not header:
            break
        name, size = struct.unpack(HEADER, header)
        name = os.path.basename(name.strip(b'\0').decode())
        with open(os.path.join(folder, name), 'wb') as file:
            while size > 0:
                data = connection.recv(min(size, 1024))
                if not data:
                    break
                file.write(data)
                size -= len(data)
        print('received', name, flush=True)
    connection.close()


s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', int(sys.argv[1]) if len(sys.argv) > 1 else 12307))
s.listen(5)
print('listening on %s:%d' % s.getsockname(), flush=True)
while True:
    connection, address = s.accept()
    thread = threading.Thread(target=receive, args=(connection,))
    thread.start()
    thread.join()  # here the loop waits until this client goes
