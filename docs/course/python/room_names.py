"""Step 11 in Python: a name that is looked up and taken later. Each access is whole because of the GIL, and two get one name.
`room_names.py [PORT]`."""
import socketserver
import sys

names = []


class Names(socketserver.StreamRequestHandler):
    def ask(self, question):
        self.wfile.write(question.encode() + b'\n')
        return self.rfile.readline(64).decode(errors='replace').strip()

    def handle(self):
        while True:
            name = self.ask('Your name?')
            if not name:
                return
            if name in names:  # true now
                self.wfile.write(f'{name} is taken.\n'.encode())
            elif self.ask(f'{name} is free. Do you want it? (yes)') == 'yes':
                names.append(name)  # but is it true now?
                self.ask(f'You are {name}. Return leaves.')
                names.remove(name)
                return


socketserver.TCPServer.allow_reuse_address = True
with socketserver.ThreadingTCPServer(('127.0.0.1', int(sys.argv[1]) if len(sys.argv) > 1 else 5000), Names) as server:
    server.daemon_threads = True
    print('listening on %s:%d' % server.server_address, flush=True)
    server.serve_forever()
