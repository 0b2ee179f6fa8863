"""SocketServer's hello world. `hello.py [PORT]`."""
import socketserver
import sys


class Hello(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b'Hello World!')


socketserver.TCPServer.allow_reuse_address = True
with socketserver.ThreadingTCPServer(('127.0.0.1', int(sys.argv[1]) if len(sys.argv) > 1 else 2525), Hello) as server:
    print('listening on %s:%d' % server.server_address, flush=True)
    server.serve_forever()
