"""fake_daemon.py SOCKET|tcp FOLDER: answers each request with what lies in FOLDER, byte by byte: the file `METHOD PATH` with
`,` for each `/` of the path, with its query or else without it. A named pipe is read to its end while it is written.
Each request is a line of FOLDER/requests, its body FOLDER/body. Over TCP its port is in FOLDER/port."""
import os
import socket
import socketserver
import sys

SOCKET, FOLDER = sys.argv[1:]
NOT_THERE = (b'HTTP/1.1 404 -\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n'
             b'{"error":{"code":"not_found","message":"no such thing here"}}')


class Handler(socketserver.StreamRequestHandler):
    def read_request(self):
        line = self.rfile.readline().decode()
        headers = {}
        while True:
            name, _, value = self.rfile.readline().decode().strip().partition(':')
            if not name:
                break
            headers[name.lower()] = value.strip()
        if headers.get('expect'):
            self.wfile.write(b'HTTP/1.1 100 Continue\r\n\r\n')
        body = self.rfile.read(int(headers.get('content-length', 0)))
        return line.split(), headers, body

    def handle(self):
        (method, target, _), headers, body = self.read_request()
        if body:
            with open(f'{FOLDER}/body', 'wb') as file:
                file.write(body)
        with open(f'{FOLDER}/requests', 'a') as file:
            told = (headers.get(name, '-') for name in ('content-type', 'idempotency-key', 'authorization'))
            file.write(' '.join((method, target, *told)) + '\n')
        for name in (target, target.partition('?')[0]):
            path = f'{FOLDER}/{method} {name.replace("/", ",")}'
            if os.path.exists(path):
                with open(path, 'rb', buffering=0) as file:
                    while piece := file.read(65536):
                        self.wfile.write(piece)
                return
        self.wfile.write(NOT_THERE)

    def finish(self):
        try:
            super().finish()
        except BrokenPipeError:
            pass


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (BrokenPipeError, ConnectionResetError)):
            super().handle_error(request, client_address)


if SOCKET == 'tcp':
    Server.address_family = socket.AF_INET
    server = Server(('127.0.0.1', 0), Handler)
    with open(f'{FOLDER}/port', 'w') as file:
        file.write(f'{server.server_address[1]}\n')
else:
    server = Server(f'{SOCKET}.new', Handler)
    os.rename(f'{SOCKET}.new', SOCKET)  # whoever sees it finds a listener
server.serve_forever()
