"""Values for the shapes of Bedrock's service models: the least valid ones, and each way to be invalid.

Made of botocore's models, as JSON: blobs are base64 text. An Invalid is a value that breaks one
constraint once, somewhere inside, and where and how the server has to say so.
"""
import dataclasses
import decimal
import re
import warnings

try:
    from re import _constants, _parser
except ImportError:  # Python before 3.11
    import sre_constants as _constants
    import sre_parse as _parser

LONGEST = 3_000_000  # characters of a text, bytes of a blob: past it, a bound is not tried
MOST_ITEMS = 3_000


@dataclasses.dataclass
class Invalid:
    value: object
    path: str  # as messages print it
    text: str  # what the message has to say there; None: the JSON type is wrong
    how: str  # for the test's own report


# What Python's expressions lack, as far as ASCII goes.
LACKING = ((r"[\p{L}\p{M}0-9_]", "[a-zA-Z0-9_]"), (r"\p{L}", "[a-zA-Z]"))


def expression(pattern):
    for theirs, ours in LACKING:
        pattern = pattern.replace(theirs, ours)
    return pattern


def compiled(pattern):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sets that Java reads another way
        return re.compile(expression(pattern), re.ASCII)


def matches(shape, text):
    metadata = shape.metadata
    if not metadata.get("min", 0) <= len(text) <= metadata.get("max", 1 << 62):
        return False
    if shape.enum and text not in shape.enum:
        return False
    return "pattern" not in metadata or compiled(metadata["pattern"]).fullmatch(text) is not None


def in_set(members):
    negated = members[0][0] is _constants.NEGATE
    texts = (chr(code) for code in (*range(97, 123), *range(48, 58), *range(65, 91), *range(32, 48),
                                    *range(58, 65), *range(91, 97), *range(123, 127)))
    return next(text for text in texts
                if any(belongs(text, member) for member in members[negated:]) != negated)


def belongs(text, member):
    kind, value = member
    if kind is _constants.LITERAL:
        return ord(text) == value
    if kind is _constants.RANGE:
        return value[0] <= ord(text) <= value[1]
    category = {_constants.CATEGORY_DIGIT: r"\d", _constants.CATEGORY_SPACE: r"\s",
                _constants.CATEGORY_WORD: r"\w", _constants.CATEGORY_NOT_SPACE: r"\S",
                _constants.CATEGORY_NOT_DIGIT: r"\D", _constants.CATEGORY_NOT_WORD: r"\W"}
    return re.match(category[value], text, re.ASCII) is not None


def texts_of(parsed, repeats, branch):
    """A text that the parsed expression matches, with `repeats` of what may repeat."""
    text = ""
    for kind, value in parsed:
        if kind is _constants.LITERAL:
            text += chr(value)
        elif kind is _constants.NOT_LITERAL:
            text += "a" if value != ord("a") else "b"
        elif kind is _constants.ANY:
            text += "a"
        elif kind is _constants.IN:
            text += in_set(value)
        elif kind in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            least, most, inner = value
            text += texts_of(inner, repeats, branch) * max(least, min(repeats, int(most)))
        elif kind is _constants.SUBPATTERN:
            text += texts_of(value[-1], repeats, branch)
        elif kind is _constants.BRANCH:
            text += texts_of(value[1][min(branch, len(value[1]) - 1)], repeats, branch)
        else:  # looks around; what comes is held against the whole expression anyway
            assert kind in (_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT), kind
    return text


def text_of(shape):
    if shape.enum:
        return shape.enum[0]
    least = max(1, shape.metadata.get("min", 1))
    if "pattern" not in shape.metadata:
        return "x" * least
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = _parser.parse(expression(shape.metadata["pattern"]))
    for branch in range(12):
        for repeats in (1, 2, 0, 3, 4, 8, 12, 36, least):
            text = texts_of(parsed, repeats, branch)
            if text and matches(shape, text):
                return text
    raise AssertionError(f"{shape.name}: no text found for {shape.metadata['pattern']!r}")


def is_union(shape):
    return getattr(shape, "is_tagged_union", False)


def is_document(shape):
    return getattr(shape, "is_document_type", False)


def wire_name(shape, name):
    return shape.members[name].serialization.get("name", name)


def required_members(shape):
    return list(shape.members)[:1] if is_union(shape) else shape.required_members


def base64_of(size):
    """Base64 of that many bytes."""
    return "eHh4" * (size // 3) + ("", "eA==", "eHg=")[size % 3]


def least(shape):
    """The least valid value."""
    kind = shape.type_name
    if is_document(shape):
        return {}
    if kind == "structure":
        return {name: least(shape.members[name]) for name in required_members(shape)}
    if kind == "list":
        return [least(shape.member)] * shape.metadata.get("min", 0)
    if kind == "map":
        key, value = text_of(shape.key), least(shape.value)
        return {key: value} if shape.metadata.get("min", 0) else {}
    if kind == "string":
        return text_of(shape)
    if kind == "blob":
        return base64_of(shape.metadata.get("min", 0))
    if kind == "boolean":
        return False
    if kind == "timestamp":
        return "2026-11-23T02:26:21Z"
    return max(1, shape.metadata.get("min", 1))


def invalid(shape, path="", above=()):
    """Every way to break a constraint of `shape` or of what is inside it. A shape inside itself is
    gone into once."""
    if is_document(shape):
        return
    yield from INVALID.get(shape.type_name, numbers)(shape, path, above)


def structures(shape, path, above):
    if path:
        yield Invalid("x", path, None, "another JSON type")
    for name in shape.required_members:
        value = least(shape)
        del value[name]
        yield Invalid(value, joined(path, name), "Member must not be null", "missing")
    if is_union(shape):
        one_member = "Member must have exactly one member set"
        yield Invalid({}, path, one_member, "no member of a union")
        if len(shape.members) > 1:
            two = {name: least(shape.members[name]) for name in list(shape.members)[:2]}
            yield Invalid(two, path, one_member, "two members of a union")
    if shape.name in above:
        return
    for name, member in shape.members.items():
        for inner in invalid(member, joined(path, name), (*above, shape.name)):
            value = {name: inner.value} if is_union(shape) else {**least(shape), name: inner.value}
            yield dataclasses.replace(inner, value=value)


def joined(path, name):
    return f"{path}.{name}" if path else name


def is_scalar(shape):
    return shape.type_name not in ("structure", "list", "map") or is_document(shape)


def sizes(shape, path, make, unit="length"):
    """Too few, too many: `make(n)` gives a value of that size."""
    metadata = shape.metadata
    if metadata.get("min", 0) > 0:
        yield Invalid(make(metadata["min"] - 1), path,
                      f"Member must have {unit} greater than or equal to {metadata['min']}", "too few")
    limit = MOST_ITEMS if shape.type_name in ("list", "map") else LONGEST
    if metadata.get("max", limit) < limit:
        yield Invalid(make(metadata["max"] + 1), path,
                      f"Member must have {unit} less than or equal to {metadata['max']}", "too many")


def lists(shape, path, above):
    yield Invalid({}, path, None, "another JSON type")
    item = least(shape.member)
    yield from sizes(shape, path, lambda count: [item] * count)
    rest = [item] * max(0, shape.metadata.get("min", 0) - 1)
    yield Invalid([None, *rest], f"{path}.1.member", "Member must not be null", "null in a list")
    inner_path = path if is_scalar(shape.member) else f"{path}.1.member"
    for inner in invalid(shape.member, inner_path, above):
        yield dataclasses.replace(inner, value=[inner.value, *rest])


def maps(shape, path, above):
    yield Invalid([], path, None, "another JSON type")
    value = least(shape.value)

    def of_size(count):
        first = text_of(shape.key)
        return {first[:-1] + chr(97 + index % 26) + "a" * (index // 26): value for index in range(count)}

    yield from sizes(shape, path, of_size)
    for inner in invalid(shape.key, path, above):
        if inner.text:
            yield dataclasses.replace(inner, value={inner.value: value}, how=f"a key: {inner.how}")
    key = text_of(shape.key)
    inner_path = path if is_scalar(shape.value) else f"{path}.{key}.member"
    for inner in invalid(shape.value, inner_path, above):
        yield dataclasses.replace(inner, value={key: inner.value})


def strings(shape, path, above):
    del above
    yield Invalid(7, path, None, "another JSON type")
    letter = text_of(shape)[-1:] or "x"
    yield from sizes(shape, path, lambda count: letter * count)
    if "pattern" in shape.metadata:
        pattern = compiled(shape.metadata["pattern"])
        size = max(1, shape.metadata.get("min", 1))
        texts = [part * size for part in ("!", "\u2603", " ", "~", "A", "\u0001")]
        broken = next((text for text in texts if not pattern.fullmatch(text)), None)
        if broken:
            yield Invalid(broken, path,
                          "Member must satisfy regular expression pattern: " + shape.metadata["pattern"],
                          "not of the pattern")
    if shape.enum:
        values = ", ".join(sorted(shape.enum))
        yield Invalid("no-such-value", path, f"Member must satisfy enum value set: [{values}]",
                      "not of the enum")


def blobs(shape, path, above):
    del above
    yield Invalid(7, path, None, "another JSON type")
    yield Invalid("no base64!", path, None, "no base64")
    yield from sizes(shape, path, base64_of)


def numbers(shape, path, above):
    del above
    yield Invalid("x", path, None, "another JSON type")
    metadata = shape.metadata
    for bound, step, name in (("min", -1, "greater"), ("max", 1, "less")):
        if bound in metadata and abs(metadata[bound]) < 1 << 31:
            yield Invalid(metadata[bound] + step, path, f"Member must have value {name} than or "
                          f"equal to {decimal.Decimal(str(metadata[bound])):f}",
                          f"past its {bound}")


def booleans(shape, path, above):
    del shape, above
    yield Invalid("x", path, None, "another JSON type")


def timestamps(shape, path, above):
    del shape, above
    yield Invalid(True, path, None, "another JSON type")
    yield Invalid("yesterday", path, None, "no time")


INVALID = {"structure": structures, "list": lists, "map": maps, "string": strings, "blob": blobs,
           "boolean": booleans, "timestamp": timestamps}
