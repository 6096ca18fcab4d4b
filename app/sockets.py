"""The server's socket, as Streamlit opens it, made to send short answers at once."""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

DESCRIPTORS = Path("/proc/self/fd")


def send_at_once(port: int) -> bool:
    """Switch Nagle's algorithm off for connections accepted on a port; whether the socket that listens was found.

    asyncio does so for sockets that were made as TCP sockets by name; Streamlit's is made without (protocol 0), and an
    answer's body then waits 40 ms until the client has acknowledged its head. Connections inherit the option from
    the socket that listens, which Streamlit does not give away: so it is looked for among the process's own.
    """
    found = False
    for name in os.listdir(DESCRIPTORS) if DESCRIPTORS.is_dir() else ():
        with suppress(OSError):  # closed meanwhile
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            with socket.socket(fileno=os.dup(int(name))) as one:
                if _listens(one, port):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    found = True
    return found


def _listens(one: socket.socket, port: int) -> bool:
    is_tcp = one.family in (socket.AF_INET, socket.AF_INET6) and one.type == socket.SOCK_STREAM
    return is_tcp and bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) and one.getsockname()[1] == port
