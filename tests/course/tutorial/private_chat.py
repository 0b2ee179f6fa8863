"""Private chat: two clients of CRLF lines. Prints what each is told."""
import socket
import sys


class Client:
    def __init__(self, name):
        self.file = socket.create_connection(('127.0.0.1', int(sys.argv[1]))).makefile('rw', newline='\r\n')
        self.name = name
        self.told()

    def told(self):
        print(f'{self.name}: {self.file.readline().rstrip()}')

    def says(self, line):
        self.file.write(line + '\n')  # makefile makes it CR LF
        self.file.flush()


ann = Client('ann')
ann.says('ann')
ann.told()
ben = Client('ben')
ben.says('ann')  # taken
ben.told()
ben.says('ben')
ben.told()
ben.says('list')
ben.told()
ann.says('ben:how are you?')
ann.says('ben:and the cat?')
ann.says('what?')
ann.told()
for _ in range(3):
    ben.says('ben:getmessage')
    ben.told()
ben.says('bye')
ben.told()
