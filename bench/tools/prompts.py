"""Eighty questions: forty that need one of the tools, and which; forty that need none."""

def tool(name, description, properties, required):
    return {"name": name, "description": description,
            "schema": {"type": "object", "properties": properties, "required": required}}

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
WHOLE = {"type": "integer"}

TOOLS = [
    tool("get_weather", "Current weather and forecast of a city.",
         {"city": TEXT, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}}, ["city"]),
    tool("set_alarm", "Sets an alarm on the user's phone.",
         {"hour": {"type": "integer", "minimum": 0, "maximum": 23},
          "minute": {"type": "integer", "minimum": 0, "maximum": 59}}, ["hour", "minute"]),
    tool("send_email", "Sends an email in the user's name.",
         {"to": TEXT, "subject": TEXT, "body": TEXT}, ["to", "subject", "body"]),
    tool("convert_currency", "Converts money at today's exchange rate.",
         {"amount": NUMBER, "from": {"type": "string", "pattern": "^[A-Z]{3}$"},
          "to": {"type": "string", "pattern": "^[A-Z]{3}$"}}, ["amount", "from", "to"]),
    tool("search_flights", "Finds flights with free seats.",
         {"origin": TEXT, "destination": TEXT, "date": {"type": "string", "format": "date"}},
         ["origin", "destination", "date"]),
    tool("get_stock_price", "Latest price of a share by its ticker symbol.", {"symbol": TEXT}, ["symbol"]),
    tool("create_event", "Puts an event into the user's calendar.",
         {"title": TEXT, "date": {"type": "string", "format": "date"}, "attendees": {"type": "array", "items": TEXT}},
         ["title", "date"]),
    tool("play_music", "Plays music on the user's speaker.", {"artist": TEXT, "song": TEXT}, ["artist"]),
    tool("read_file", "Reads a file from the project's folder.", {"path": TEXT}, ["path"]),
    tool("run_sql", "Runs a query on the shop's database (tables: orders, customers, products).", {"query": TEXT}, ["query"]),
    tool("control_light", "Switches a lamp of the house on or off.",
         {"room": {"type": "string", "enum": ["kitchen", "bedroom", "living room", "garage"]}, "on": {"type": "boolean"}},
         ["room", "on"]),
    tool("order_status", "Where an order of the shop is.", {"order_id": WHOLE}, ["order_id"]),
]

NEEDED = [
    ("What is the weather in Paris right now?", "get_weather"),
    ("Do I need an umbrella in London today?", "get_weather"),
    ("How hot is it in Phoenix, in fahrenheit?", "get_weather"),
    ("서울의 지금 날씨를 알려 줘.", "get_weather"),
    ("부산은 오늘 비가 오나요?", "get_weather"),
    ("Wake me up at 6:45 tomorrow morning.", "set_alarm"),
    ("Set an alarm for 22:30.", "set_alarm"),
    ("내일 아침 7시에 알람을 맞춰 줘.", "set_alarm"),
    ("Please set an alarm for noon.", "set_alarm"),
    ("Email bob@example.com that the meeting moved to Friday.", "send_email"),
    ("Write an email to anna@example.org with the subject 'Thanks' and thank her for the book.", "send_email"),
    ("kim@example.com에게 오늘 늦는다고 이메일을 보내 줘.", "send_email"),
    ("How much is 250 US dollars in euros today?", "convert_currency"),
    ("Convert 10000 JPY to USD at the current rate.", "convert_currency"),
    ("100달러는 오늘 환율로 몇 원이야?", "convert_currency"),
    ("Find me a flight from Berlin to Rome on 2026-12-20.", "search_flights"),
    ("I want to fly from Seoul to Tokyo on January 5th 2027. What is available?", "search_flights"),
    ("2026-12-24에 인천에서 뉴욕으로 가는 비행기를 찾아 줘.", "search_flights"),
    ("What is Apple's share trading at?", "get_stock_price"),
    ("Get the latest price of MSFT.", "get_stock_price"),
    ("삼성전자 주가를 알려 줘 (005930.KS).", "get_stock_price"),
    ("Put 'Dentist' into my calendar for 2026-12-03.", "create_event"),
    ("Schedule a team lunch on 2026-12-11 with Ann and Bob.", "create_event"),
    ("12월 25일(2026년)에 '가족 모임' 일정을 추가해 줘.", "create_event"),
    ("Play some Miles Davis.", "play_music"),
    ("Play Bohemian Rhapsody by Queen.", "play_music"),
    ("아이유 노래를 틀어 줘.", "play_music"),
    ("Show me what is in src/main.cc.", "read_file"),
    ("Read the file README.md and summarise it.", "read_file"),
    ("Which version is named in package.json?", "read_file"),
    ("How many orders did our shop get in 2025?", "run_sql"),
    ("List the names of the customers from Korea in our database.", "run_sql"),
    ("Which product of ours sold most? Look it up in the database.", "run_sql"),
    ("Turn on the light in the kitchen.", "control_light"),
    ("Switch the garage lamp off, please.", "control_light"),
    ("침실 불을 꺼 줘.", "control_light"),
    ("It is too dark in the living room. Do something about it.", "control_light"),
    ("Where is my order 48213?", "order_status"),
    ("Has order number 1007 been shipped yet?", "order_status"),
    ("주문 번호 5521은 어디쯤 왔나요?", "order_status"),
]

NOT_NEEDED = [
    "Hello! How are you?", "Thank you, that was helpful.", "Tell me a joke.", "What is 2 + 2?",
    "What is the capital of France?", "Write a haiku about autumn.", "Explain what a hash table is.",
    "Who wrote Hamlet?", "Translate 'good morning' to French.", "Name three primary colours.",
    "What does HTTP stand for?", "Give me a synonym for 'happy'.", "Why is the sky blue?",
    "What is the square root of 144?", "How do I reverse a list in Python?", "Write a function that adds two numbers in C.",
    "What is photosynthesis?", "Is 17 a prime number?", "What is the opposite of 'cold'?",
    "How many days are in a leap year?", "Spell 'necessary'.", "Which planet is the largest?",
    "Summarise in one sentence: The cat sat on the mat because it was warm.", "What languages are spoken in Switzerland?",
    "Who painted the Mona Lisa?", "Tell me a fun fact about cats.", "What can you help me with?",
    "What is recursion?", "Give me a name for a puppy.", "What is the chemical symbol of gold?",
    "안녕하세요!", "대한민국의 수도는 어디인가요?", "고마워요, 잘 자요.", "농담 하나 해 줘.", "사과를 영어로 뭐라고 해?",
    "파이썬에서 리스트를 정렬하는 방법을 알려 줘.", "1년은 며칠인가요?", "물의 화학식은?", "시를 한 줄 써 줘.", "3 곱하기 7은?",
]
assert len(NEEDED) == len(NOT_NEEDED) == 40


def questions():
    """All of them, each with four tools: the right one among three others, never in the same place."""
    names = [t["name"] for t in TOOLS]
    for i, (text, right) in enumerate(NEEDED + [(t, None) for t in NOT_NEEDED]):
        first = names.index(right) if right else i
        offered = [TOOLS[(first + step) % len(TOOLS)] for step in (0, 3, 5, 8)]
        turn = i % 4
        yield {"text": text, "right": right, "tools": offered[turn:] + offered[:turn]}
