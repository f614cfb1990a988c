"""The daemon that a rule of `external` asks: one request a connection, answered 1 or 0."""

import collections
import socket
import struct
import threading

Request = collections.namedtuple("Request", "signer name address rdtype key token")


def receive(connection, length):
    got = b""
    while len(got) < length:
        more = connection.recv(length - len(got))
        if not more:
            raise EOFError
        got += more
    return got


def read_request(connection):
    version, length = struct.unpack("!II", receive(connection, 8))
    assert version == 1, version
    rest = receive(connection, length - 8)
    *texts, rest = rest.split(b"\0", 5)
    (token_length,) = struct.unpack("!I", rest[:4])
    assert len(rest) == 4 + token_length, rest
    return Request(*(text.decode("ascii") for text in texts), rest[4:])


class UpdateJudge(threading.Thread):
    """`judge(request)` gives the bytes of the answer; None: it never answers."""

    def __init__(self, path, judge):
        super().__init__(daemon=True)
        self.path = str(path)
        self.judge = judge
        self.requests = []
        self.failure = None
        self.silent = []  # connections that wait for an answer in vain
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(8)

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # stop() has closed it
            try:
                self.serve(connection)
            except (OSError, EOFError):
                connection.close()
            except Exception as failure:  # noqa: BLE001: told by stop()
                self.failure = failure
                connection.close()

    def serve(self, connection):
        connection.settimeout(30)
        request = read_request(connection)
        self.requests.append(request)
        answer = self.judge(request)
        if answer is None:
            self.silent.append(connection)
            return
        connection.sendall(answer)
        connection.close()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join(30)
        for connection in self.silent:
            connection.close()
        assert self.failure is None, repr(self.failure)


YES, NO = struct.pack("!I", 1), struct.pack("!I", 0)
