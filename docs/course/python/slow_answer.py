"""Steps 3 and 4: one line in, a sentence out after one second. `slow_answer.py [PORT] [fork|threads]`: Python's two mix-ins."""
import socketserver
import sys
import time


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        if self.rfile.readline():
            time.sleep(1)
            self.wfile.write(b'That took me one second.\n')


class Forking(socketserver.ForkingMixIn, socketserver.TCPServer):
    allow_reuse_address = True


class Threading(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True


port = int(sys.argv[1]) if len(sys.argv) > 1 else 18001
Server = Forking if sys.argv[2:] == ['fork'] else Threading
with Server(('127.0.0.1', port), Handler) as server:
    print('listening on %s:%d' % server.server_address, flush=True)
    server.serve_forever()
