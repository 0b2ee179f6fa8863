"""Step 6 as the tutorial writes it: select, and a queue for each client. `select_echo.py [PORT]`.

Its fault: the queues have no bound, so one who does not read fills the memory."""
import queue
import select
import socket
import sys

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setblocking(False)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('localhost', int(sys.argv[1]) if len(sys.argv) > 1 else 10000))
listener.listen(5)
print('listening on %s:%d' % listener.getsockname(), flush=True)
inputs, outputs, queues = [listener], [], {}


def drop(s):
    inputs.remove(s)
    if s in outputs:
        outputs.remove(s)
    s.close()
    del queues[s]


while True:
    readable, writable, exceptional = select.select(inputs, outputs, inputs)
    for s in readable:
        if s is listener:
            connection, address = s.accept()
            connection.setblocking(False)
            inputs.append(connection)
            queues[connection] = queue.Queue()
        elif data := s.recv(1024):
            queues[s].put(data)
            if s not in outputs:
                outputs.append(s)
        else:
            drop(s)
    for s in writable:
        if s not in queues:
            continue
        try:
            data = queues[s].get_nowait()
        except queue.Empty:
            outputs.remove(s)
        else:
            s.send(data)  # perhaps a part of it: the rest is lost
    for s in exceptional:
        if s in queues:
            drop(s)
