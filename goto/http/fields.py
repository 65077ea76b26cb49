"""Header fields, as bytes on the wire and as text for features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mypy_extensions import mypyc_attr

Field = tuple[bytes, bytes]
"""The name and the value of a header field."""

Index = dict[bytes, Sequence[Field]]
"""The fields of a message by their lower-case name."""


def encode(text: str) -> bytes:
    """Text as bytes of UTF-8. Other bytes, which `decode` kept as surrogates, come back as they were."""
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> str:
    """Bytes as text of UTF-8. Other bytes are kept as surrogates, so that `encode` gives them back."""
    return data.decode("utf-8", "surrogateescape")


def field_length(field: Field) -> int:
    """The bytes of a field, name and value."""
    return len(field[0]) + len(field[1])


def field_name(field: Field) -> bytes:
    return field[0]


@mypyc_attr(allow_interpreted_subclasses=True, serializable=True)
class Headers:
    """Header fields as on the wire: in order, with repeated fields and the sender's spelling of names.

    Names are compared in any letter case (RFC 9110, 5.1).
    """

    __slots__ = ("_index", "fields")

    def __init__(self, fields: Iterable[Field] = (), index: Index | None = None) -> None:
        self.fields: list[Field] = list(fields)
        """Name and value of each, as bytes. Change them by the methods below."""
        self._index = index

    @property
    def index(self) -> Index:
        """The fields by name in lower case, made at the first look-up."""
        index = self._index
        if index is None:
            grouped: dict[bytes, list[Field]] = {}
            for field in self.fields:
                grouped.setdefault(field[0].lower(), []).append(field)
            index = self._index = {**grouped}
        return index

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of a header, or the default where there is none."""
        fields = self.index.get(encode(name).lower())
        return decode(fields[0][1]) if fields else default

    def get_all(self, name: str) -> list[str]:
        """All values of a header, in order."""
        return [decode(value) for _, value in self.index.get(encode(name).lower(), ())]

    def add(self, name: str, value: str) -> None:
        """Append a field. Others of that name stay: `remove` takes them out."""
        self.fields.append((encode(name), encode(value)))
        self._index = None

    def extend(self, fields: Iterable[Field]) -> None:
        """Append fields, given as bytes."""
        self.fields.extend(fields)
        self._index = None

    def remove(self, *names: str) -> None:
        """Remove every field that has one of these names."""
        gone = {encode(name).lower() for name in names}
        self.fields = [field for field in self.fields if field[0].lower() not in gone]
        self._index = None

    def __contains__(self, name: str) -> bool:
        """Whether a field bears this name."""
        return encode(name).lower() in self.index

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Names and values as text, in order."""
        return ((decode(name), decode(value)) for name, value in self.fields)

    def __repr__(self) -> str:
        return f"Headers({self.fields!r})"
