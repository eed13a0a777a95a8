"""The loads: who asks what, how many at once, how long the answers are.

Neither server can be told to go on past a model's end of text, so the prompts ask for more than the limit of
tokens lets through; what was really produced is what is counted. Everything is greedy (temperature 0) and the
same for both servers, except that a growing chat sends back what its own server said, as chats do, and that one
load asks for chance.
"""
import dataclasses

from client import Talk


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How long everything is; --quick has shorter ones."""
    single: int = 160        # tokens of an answer
    chat_8: int = 64
    chat_32: int = 48
    shared: int = 48
    shared_rules: int = 24   # of the system prompt: 500 tokens
    turns: int = 4
    turn: int = 32
    running: int = 96        # of the streams that a long prompt disturbs
    long_rules: int = 168    # of the long prompt: 4000 tokens
    schema: int = 128
    repeated: int = 320
    neighbours: int = 16
    pairs: int = 3           # of cold and warm prompts


QUICK = Sizes(single=32, chat_8=16, chat_32=8, shared=8, shared_rules=3, turns=2, turn=8, running=24,
              long_rules=25, schema=24, repeated=48, neighbours=8, pairs=1)
# A GPU is through with the others before much can be told.
LONG = Sizes(single=256, chat_8=192, chat_32=192, shared=128, turn=96, running=256, schema=256, neighbours=128, pairs=5)


@dataclasses.dataclass(frozen=True)
class Load:
    """Passes run one after another on one fresh server; each is a load of its own in the tables."""
    passes: tuple         # of (name, talks(sizes, repeat, pass))
    parallel: int         # answers at once
    context: int          # tokens of one conversation
    kernels: tuple = ()   # (program, streams): the kernels' own, measured beside the first pass
    servers: int = 1      # of one side, on the same cores


def request(messages, tokens, **more):
    return {"model": "openai.gpt-oss-20b-1:0", "messages": messages, "max_tokens": tokens, "temperature": 0,
            "stream": True, "stream_options": {"include_usage": True}, **more}


def ask(text, tokens, system=None, **more):
    """A talk of one request."""
    messages = [{"role": "system", "content": system}] if system else []
    yield request(messages + [{"role": "user", "content": text}], tokens, **more)


def chat(texts, tokens):
    """A talk that grows: each request holds all that was said before."""
    messages = []
    for text in texts:
        messages.append({"role": "user", "content": text})
        received = yield request(list(messages), tokens)
        messages.append({"role": "assistant", "content": received.answer.text})


# --- Independent chats -----------------------------------------------------------------------------------

WHO = ("a lighthouse keeper", "a young baker", "an old clockmaker", "a shy violinist", "a mountain guide",
       "a retired pilot", "a river boatman", "a village teacher")
WHAT = ("finds a letter in a bottle", "loses the only key to the tower", "meets a talking crow",
        "has one day to repair a bridge")


def story(number):
    return (f"Write a long story about {WHO[number % 8]} who {WHAT[number // 8 % 4]}. "
            "Use at least six paragraphs and describe every scene in detail.")


def single(sizes, repeat):
    return [Talk(ask(story(repeat), sizes.single))]


def chats(streams, tokens, **more):
    return lambda sizes, repeat: [Talk(ask(story(number), getattr(sizes, tokens), **more))
                                  for number in range(streams)]


# --- A shared system prompt ------------------------------------------------------------------------------

RULES = ("Answer in full sentences and in the language of the customer.",
         "Orders can be returned within thirty days when the seal is not broken.",
         "Never promise a delivery date that the warehouse has not confirmed.",
         "A refund takes five working days after the parcel has arrived.",
         "Parcels over twenty kilograms are brought by a forwarding agent on a weekday.",
         "Gift cards cannot be exchanged for money and are valid for three years.",
         "Repairs under warranty are free; the customer pays for sending the device in.",
         "If somebody is angry, apologise once and offer one concrete next step.",
         "Invoices are sent by mail on request and always name the company's tax number.",
         "Discount codes cannot be combined, and the best one is applied by itself.")


def prose(rules, seed):
    """Of 21 to 24 tokens a rule; another seed begins otherwise."""
    return " ".join(f"Rule {seed}.{number + 1}: {RULES[(seed + number) % len(RULES)]}" for number in range(rules))


def house_rules(sizes, seed):
    return f"You are assistant number {seed} of a shop. {prose(sizes.shared_rules, seed)}"


def customer(number):
    return (f"My order number {4100 + 37 * number} has not come. Explain at length, step by step and with every "
            "rule that matters, what I should do now.")


def shared(streams, first):
    return lambda sizes, repeat: [
        Talk(ask(customer(number), sizes.shared, house_rules(sizes, streams + repeat)))
        for number in range(first, first + streams)]


def prefix(seed_of):
    """One short answer to a long prompt: its time to the first token is what counts."""
    def one_after_another(sizes, repeat):
        def talk():
            for pair in range(sizes.pairs):
                seed, number = seed_of(repeat, pair)
                yield from ask(customer(number), 4, house_rules(sizes, seed))
        return [Talk(talk())]
    return one_after_another


# --- Growing chats ---------------------------------------------------------------------------------------

FOLLOW_UPS = ("Continue the story, slowly, and tell what the weather was like.",
              "Continue. Now a stranger arrives; describe the stranger exactly.",
              "Continue, and let them argue for a long time.",
              "Continue, and come to no end yet.")


def turns(sizes, repeat):
    return [Talk(chat([story(number), *FOLLOW_UPS][:sizes.turns], sizes.turn)) for number in range(8)]


# --- A long prompt among running streams -----------------------------------------------------------------

def long_prompt(sizes, repeat):
    streams = [Talk(ask(story(number), sizes.running)) for number in range(8)]
    text = prose(sizes.long_rules, 700 + repeat) + "\n\nSum these rules up in a long text."
    return streams + [Talk(ask(text, 8), after=8)]


# --- JSON by a schema ------------------------------------------------------------------------------------

PERSON = {
    "type": "object", "additionalProperties": False, "required": ["people"],
    "properties": {"people": {"type": "array", "minItems": 12, "items": {
        "type": "object", "additionalProperties": False,
        "required": ["name", "age", "city", "married", "hobbies", "role"],
        "properties": {
            "name": {"type": "string"}, "age": {"type": "integer"}, "city": {"type": "string"},
            "married": {"type": "boolean"}, "hobbies": {"type": "array", "items": {"type": "string"}},
            "role": {"type": "string", "enum": ["engineer", "teacher", "nurse", "farmer", "pilot"]}}}}}}


def schema(sizes, repeat):
    form = {"type": "json_schema", "json_schema": {"name": "people", "strict": True, "schema": PERSON}}
    return [Talk(ask(f"Invent twelve different people who live in country number {number + 1}, as JSON.",
                     sizes.schema, response_format=form)) for number in range(8)]


# --- Answers that repeat the prompt ----------------------------------------------------------------------

CODE = '''\
import csv
import pathlib


class Inventory:
    """Items of a shop, by their code."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.items = {}

    def load(self):
        with self.path.open(newline="") as file:
            for row in csv.DictReader(file):
                self.items[row["code"]] = {"name": row["name"], "count": int(row["count"])}

    def save(self):
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["code", "name", "count"])
            writer.writeheader()
            for code, item in sorted(self.items.items()):
                writer.writerow({"code": code, **item})

    def add(self, code, name, count):
        if code in self.items:
            self.items[code]["count"] += count
        else:
            self.items[code] = {"name": name, "count": count}

    def remove(self, code, count):
        item = self.items[code]
        if item["count"] < count:
            raise ValueError(f"only {item['count']} of {code} left")
        item["count"] -= count
'''


def edit(sizes, repeat):
    return [Talk(ask("Rename the method `remove` to `take` and change nothing else. Answer with the whole file.\n\n"
                     f"```python\n{CODE}```", sizes.repeated))]


RECORDS = "\n".join(f"{number}. {WHO[number % 8][2:].strip().title()} {chr(65 + number)}., "
                    f"Harbour Street {3 * number + 2}, phone 555-{7919 * (number + 3) % 10000:04d}"
                    for number in range(16))


def extract(sizes, repeat):
    return [Talk(ask("Copy every entry of this list whose phone number begins with 555, word for word, one a line, "
                     f"with its number.\n\n{RECORDS}", sizes.repeated))]


# --- Two programs on the same cores ----------------------------------------------------------------------

def neighbours(sizes, repeat):
    return [Talk(ask(story(number), sizes.neighbours), server=number % 2) for number in range(4)]


LOADS = {
    "single": Load((("single", single),), 1, 2048, ("llama-bench", 1)),
    "chats-8": Load((("chats-8", chats(8, "chat_8")),), 8, 1024, ("llama-batched-bench", 8)),
    "chats-32": Load((("chats-32", chats(32, "chat_32")),), 32, 1024, ("llama-batched-bench", 32)),
    "chance-32": Load((("chance-32", chats(32, "chat_32", temperature=0.7)),), 32, 1024),
    "shared-8": Load((("shared-8", shared(8, 0)), ("cached-8", shared(8, 100))), 8, 1024),
    "shared-32": Load((("shared-32", shared(32, 0)), ("cached-32", shared(32, 100))), 32, 1024),
    "prefix": Load((("cold", prefix(lambda repeat, pair: (200 + 10 * repeat + pair, pair))),
                    ("warm", prefix(lambda repeat, pair: (200 + 10 * repeat + pair, 50 + pair)))), 1, 8192),
    "turns": Load((("turns", turns),), 8, 1024),
    "long": Load((("long", long_prompt),), 9, 5120),
    "schema": Load((("schema", schema),), 8, 1024),
    "edit": Load((("edit", edit),), 1, 2048),
    "extract": Load((("extract", extract),), 1, 2048),
    "neighbours": Load((("neighbours", neighbours),), 2, 1024, servers=2),
}
