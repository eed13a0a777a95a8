"""What the scripts that write C++ tables share. Only the standard library."""


def literal(text):
    """`text` as a C++ string literal, plain ASCII whatever it holds."""
    plain = lambda byte: 0x20 <= byte < 0x7F and byte not in b'"\\'
    return '"' + "".join(chr(byte) if plain(byte) else f"\\{byte:03o}" for byte in text.encode()) + '"'


def flag(value):
    return "true" if value else "false"


class Pool:
    """Arrays that many rows share, each written once and named by its content."""

    def __init__(self, kind, prefix):
        self.kind, self.prefix, self.names = kind, prefix, {}

    def span(self, elements):
        if not elements:
            return "{}"
        return self.names.setdefault(tuple(elements), f"{self.prefix}_{len(self.names)}")

    def definitions(self):
        for elements, name in self.names.items():
            yield f"constexpr {self.kind} {name}[] = {{{', '.join(elements)}}};"
