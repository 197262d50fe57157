"""The commands, attached to the classes that have them when the package is loaded."""

from steadis import _steadis

#: Text or bytes, for people who check types.
AnyStr = None

#: What cannot be written after a dot, and what is written instead.
_KEYWORDS = {"del": "delete"}


class Commands:
    """Every command of the table as a method; each reply is the method's value."""

    __slots__ = ()

    # Much quicker than to set them one by one afterwards.
    vars().update((_KEYWORDS.get(name, name), method) for name, method in _steadis.methods())

    def __class_getitem__(cls, text: object) -> type:
        """``Client[str]``, for people who write types."""
        return cls


class AsyncCommands(Commands):
    """Every command of the table as a method; each reply is to be awaited."""

    __slots__ = ()


class QueuedCommands(Commands):
    """Every command of the table as a method, which queues it."""

    __slots__ = ()
