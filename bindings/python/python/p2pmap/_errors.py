"""The exceptions, one for each kind of error. Where Python has a class for what happened, it is a base too."""

from typing import ClassVar


class Error(Exception):
    """The base of every error of p2pmap. The message names the thing, the limit and the remedy, and never holds a value.

    Attributes:
        kind: The error's name in every language, such as `TOO_LARGE`.
        code: The error's number in C.
    """

    kind: ClassVar[str]
    code: ClassVar[int]


class InvalidArgument(Error, ValueError):
    """An argument that no state could make valid. Nothing changed."""

    kind, code = "INVALID_ARGUMENT", -1


class InvalidConfig(Error, ValueError):
    """An unknown option, or a value that the option does not allow. Nothing changed."""

    kind, code = "INVALID_CONFIG", -2


class InvalidValue(Error, ValueError):
    """The map's validator said no. Nothing changed."""

    kind, code = "INVALID_VALUE", -3


class TooLarge(Error, ValueError):
    """A key, value or batch over its limit. Nothing changed."""

    kind, code = "TOO_LARGE", -4


class Closed(Error):
    """The node, map or subscription was closed. Nothing changed."""

    kind, code = "CLOSED", -5


class Locked(Error, OSError):
    """A data directory in use by another process; or it was copied, and another node runs with the identity in it."""

    kind, code = "LOCKED", -6


class StorageError(Error, OSError):
    """The disk refused: full, read-only or broken."""

    kind, code = "STORAGE", -7


class Corrupted(Error):
    """A stored file is damaged."""

    kind, code = "CORRUPTED", -8


class NetworkError(Error, ConnectionError):
    """An address that cannot be parsed, listened on or reached."""

    kind, code = "NETWORK", -9


class AddressInUse(Error, OSError):
    """A listen address that another socket holds. No node was opened."""

    kind, code = "ADDRESS_IN_USE", -10


class Timeout(Error, TimeoutError):
    """The time given ran out; what was asked for may still happen."""

    kind, code = "TIMEOUT", -11


class Full(Error):
    """`max_entries` or `max_bytes` reached. Nothing changed."""

    kind, code = "FULL", -12


class Unsupported(Error):
    """A format or protocol version that this library does not speak."""

    kind, code = "UNSUPPORTED", -13


class Forked(Error, RuntimeError):
    """The handle was opened before a fork, and this is the child. Open a node of the child's own."""

    kind, code = "FORKED", -14


class NotPermitted(Error, PermissionError):
    """The map's `writers` do not include this node. Nothing changed."""

    kind, code = "NOT_PERMITTED", -15


class InternalError(Error):
    """A panic, caught: a bug in p2pmap. Please report it."""

    kind, code = "INTERNAL", -100


CLASSES: dict[str, type[Error]] = {error.kind: error for error in Error.__subclasses__()}
"""Where the native module looks up an error's class."""

for _error in (Error, *CLASSES.values()):
    _error.__module__ = "p2pmap"  # Where users find it: what a traceback shows.
