"""Step 2, as the article writes it: sends each file behind a header of struct.pack('36sl', name, size)."""
import os
import socket
import struct
import sys

port, paths = int(sys.argv[1]), sys.argv[2:]
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(('127.0.0.1', port))
for path in paths:
    s.sendall(struct.pack('36sl', os.path.basename(path).encode('utf-8'), os.stat(path).st_size))
    with open(path, 'rb') as f:
        while data := f.read(1024):
            s.sendall(data)
s.close()
print('sent', len(paths))
