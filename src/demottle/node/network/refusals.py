"""Why an address or a port cannot be listened on, in a sentence that says what to change."""

import errno

from demottle.errors import InputError


def cannot_listen(error: OSError, table: str, address: str, port: int) -> InputError:
    """Return the sentence for what the system said.

    Args:
        error: of binding a socket.
        table: of the configuration, such as "node".
        address, port: where it was to listen.
    """
    why = {
        errno.EADDRINUSE: f"is taken by another program; end that, or give [{table}] another port",
        errno.EACCES: f"may not be opened by this user; give [{table}] a port above 1023",
        errno.EADDRNOTAVAIL: f"cannot be listened on: this machine does not have that address; correct it in [{table}]",
    }.get(error.errno or 0, f"cannot be listened on ({error.strerror or error}); correct address and port in [{table}]")
    return InputError(f"Port {port} of {address} {why}.")
