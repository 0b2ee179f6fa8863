"""Step 5 as the article writes it: upper case, on what the article calls a pool. `upper.py [PORT]`.

Its faults: `strip` takes away blanks and line ends that were sent, and an empty line is taken for the end; there is no bound
on the threads, so it is no pool."""
import socketserver
import sys


class Upper(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            data = self.request.recv(1024).strip()
            if not data:
                break
            self.request.sendall(data.upper())


socketserver.TCPServer.allow_reuse_address = True
with socketserver.ThreadingTCPServer(('127.0.0.1', int(sys.argv[1]) if len(sys.argv) > 1 else 18001), Upper) as server:
    print('listening on %s:%d' % server.server_address, flush=True)
    server.daemon_threads = True
    server.serve_forever()
