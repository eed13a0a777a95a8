"""Who is asking: keys, signatures of real SDKs, API keys, what they may, and how much."""
import base64
import datetime
import http.client
import json
import random
import re
import string
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.client
import botocore.config
import botocore.credentials
import botocore.exceptions
import pytest

import craton
from craton import run_craton

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
NOVA = "amazon.nova-lite-v1:0"
PROFILE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
RULES = "rules:\n  - {answer: Granite.}\n"
FRONT = ":http://internal.amazon.com/coral/com.amazon.coral.service/"


class Keys:
    def __init__(self, file):
        self.file = file

    def create(self, name, *flags):
        done = run_craton("keys", "create", name, "--keys", self.file, "--output", "json", *flags)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys") / "keys.json")


@pytest.fixture(scope="module")
def made(keys):
    """Keys by what they are for."""
    return {
        "ci": keys.create("ci"),
        "temporary": keys.create("temporary", "--temporary"),
        "late": keys.create("late", "--temporary", "--expires-in", "0s"),
        "app": keys.create("app", "--bearer"),
        "old app": keys.create("old", "--bearer", "--expires-in", "0s"),
        "claude": keys.create("claude", "--allow", "bedrock:InvokeModel:anthropic.*",
                              "--allow", "bedrock:List*"),
        "profile": keys.create("profile", "--allow", "bedrock:InvokeModel*:us.anthropic.*"),
        "two": keys.create("two", "--requests-per-minute", "2"),
        "tokens": keys.create("tokens", "--tokens-per-minute", "1000"),
    }


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(RULES)
    return path


@pytest.fixture(scope="module")
def guarded(keys, made, rules):
    with craton.serving("--auth", "verify", "--keys", keys.file, "--bind", f"*=script:{rules}") as server:
        yield server


def client(server, key, service="bedrock-runtime", region="us-east-1", **changes):
    told = {"aws_access_key_id": key["accessKeyId"], "aws_secret_access_key": key["secretAccessKey"],
            "aws_session_token": key.get("sessionToken"), **changes}
    return boto3.session.Session(**told).client(
        service, region_name=region, endpoint_url=server.url,
        config=botocore.config.Config(retries={"total_max_attempts": 1}, proxies={}))


def ask(runtime, model=HAIKU, **config):
    answer = runtime.converse(modelId=model, messages=[{"role": "user", "content": [{"text": "Which rock?"}]}],
                              inferenceConfig={"maxTokens": 100, **config})
    return answer["output"]["message"]["content"][0]["text"]


def refused(call, *arguments, **keywords):
    """Type, status and text of the refusal that a call meets."""
    with pytest.raises(botocore.exceptions.ClientError) as refusal:
        call(*arguments, **keywords)
    answer = refusal.value.response
    return (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"],
            answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-errortype"])


def test_who_holds_a_key_is_answered(guarded, made):
    assert ask(client(guarded, made["ci"])) == "Granite."
    assert ask(client(guarded, made["temporary"])) == "Granite."
    stream = client(guarded, made["ci"]).converse_stream(
        modelId=NOVA, messages=[{"role": "user", "content": [{"text": "Which rock?"}]}])["stream"]
    assert any("messageStop" in event for event in stream)
    assert "caller=ci" in guarded.wait_for_log("operation=ConverseStream")


@pytest.mark.parametrize("changes, code, text", [
    ({"aws_secret_access_key": "wrong"}, "InvalidSignatureException",
     "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
     "Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String "
     "for this request should have been\n'POST\n/model/anthropic.claude-3-haiku-20240307-v1%253A0/converse\n"),
    ({"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE"}, "UnrecognizedClientException",
     "The security token included in the request is invalid."),
    ({"aws_session_token": "stray"}, "UnrecognizedClientException",
     "The security token included in the request is invalid."),
    ({"region": "eu-west-1"}, "InvalidSignatureException",
     "Credential should be scoped to a valid Region, not 'eu-west-1'."),
])
def test_others_meet_the_exception_that_aws_raises(guarded, made, changes, code, text):
    found, status, message, header = refused(ask, client(guarded, made["ci"], **changes))
    assert (found, status, header) == (code, 403, code + FRONT)
    assert message.startswith(text)


def test_a_token_that_is_missing_or_expired_is_told_apart(guarded, made):
    code, status, message, _ = refused(ask, client(guarded, made["temporary"], aws_session_token=None))
    assert (code, status) == ("UnrecognizedClientException", 403)
    code, status, message, _ = refused(ask, client(guarded, made["late"]))
    assert (code, status, message) == ("ExpiredTokenException", 403,
                                       "The security token included in the request is expired")


@pytest.mark.parametrize("minutes, text", [(-6, "Signature expired: "), (6, "Signature not yet current: ")])
def test_a_clock_that_is_wrong_is_told(guarded, made, monkeypatch, minutes, text):
    moved = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: moved.replace(tzinfo=None))
    code, status, message, _ = refused(ask, client(guarded, made["ci"]))
    assert (code, status) == ("InvalidSignatureException", 403) and message.startswith(text)


def plain(server, target, headers=None, body=None, method=None):
    """(status, error type, body) of a request as it is told."""
    request = urllib.request.Request(server.url + target, data=body, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=craton.patience(10)) as answer:
            return answer.status, None, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers["x-amzn-errortype"], refusal.read().decode()


def test_who_does_not_say_who_he_is_stays_outside(guarded):
    status, kind, body = plain(guarded, "/foundation-models")
    assert (status, kind) == (403, "MissingAuthenticationTokenException" + FRONT)
    assert json.loads(body) == {"message": "Missing Authentication Token"}
    status, kind, body = plain(guarded, "/foundation-models", {"Authorization": "AWS4-HMAC-SHA256 Credential=x"})
    assert (status, kind) == (403, "IncompleteSignatureException" + FRONT)
    assert "Authorization header requires 'Signature' parameter." in body
    assert guarded.get("/health") == 200


@pytest.mark.parametrize("header", ["Authorization", "x-api-key"])
def test_api_keys_are_taken(guarded, made, header):
    def told(key):
        return {header: f"Bearer {key}" if header == "Authorization" else key}

    assert plain(guarded, "/foundation-models", told(made["app"]["bearerToken"]))[0] == 200
    for key, text in [(made["app"]["bearerToken"][:-4] + "AAAA",
                       "Authentication failed: Please make sure your API Key is valid."),
                      ("sk-test", "Invalid API Key format: Must start with pre-defined prefix"),
                      (made["old app"]["bearerToken"], "Bearer Token has expired")]:
        status, kind, body = plain(guarded, "/foundation-models", told(key))
        assert (status, kind) == (403, "AccessDeniedException" + craton.ERROR_TYPE_SUFFIX)
        assert json.loads(body) == {"Message": text}


def short_term_key(key, region="us-east-1", expires=3600):
    """As Bedrock's own generator makes it: a presigned request in base64."""
    request = botocore.awsrequest.AWSRequest("POST", "https://bedrock.amazonaws.com/", headers={
        "host": "bedrock.amazonaws.com"}, params={"Action": "CallWithBearerToken"})
    told = botocore.credentials.Credentials(key["accessKeyId"], key["secretAccessKey"], key.get("sessionToken"))
    botocore.auth.SigV4QueryAuth(told, "bedrock", region, expires=expires).add_auth(request)
    url = request.url.replace("https://", "") + "&Version=1"
    return "bedrock-api-key-" + base64.b64encode(url.encode()).decode()


def test_short_term_api_keys_are_taken(guarded, made):
    def status(*arguments, **keywords):
        key = short_term_key(*arguments, **keywords)
        return plain(guarded, "/foundation-models", {"Authorization": f"Bearer {key}"})
    assert status(made["ci"])[0] == 200
    assert status(made["temporary"])[0] == 200
    assert "make sure your API Key is valid" in status(made["ci"], region="eu-west-1")[2]
    assert "make sure your API Key is valid" in status({**made["ci"], "secretAccessKey": "x"})[2]


def test_a_bearer_key_by_boto3_over_tls(keys, made, tmp_path):
    with craton.serving("--model", "none", "--auth", "verify", "--keys", keys.file, "--tls", "self-signed",
                        "--data", tmp_path) as server:
        authority = re.search(r"AWS_CA_BUNDLE='([^']+)'", server.output())[1]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_BEARER_TOKEN_BEDROCK", made["app"]["bearerToken"])
            bedrock = boto3.session.Session().client(
                "bedrock", region_name="us-east-1", endpoint_url=server.url, verify=authority,
                config=botocore.config.Config(proxies={}))
            assert bedrock.list_foundation_models()["modelSummaries"]


def test_presigned_requests_are_taken_until_they_end(guarded, made):
    bedrock = client(guarded, made["ci"], "bedrock")
    url = bedrock.generate_presigned_url("get_foundation_model", {"modelIdentifier": HAIKU}, ExpiresIn=60)
    target = url.removeprefix(guarded.url)
    assert plain(guarded, target)[0] == 200
    status, kind, _ = plain(guarded, target.replace("haiku", "sonnet"))
    assert (status, kind) == (403, "InvalidSignatureException" + FRONT)
    late = target.replace("X-Amz-Expires=60", "X-Amz-Expires=0")
    assert plain(guarded, late)[0] == 403


# --- What they may ---------------------------------------------------------------------------------------

def test_only_what_is_allowed_is_done(guarded, made):
    claude = client(guarded, made["claude"])
    assert ask(claude) == "Granite."
    code, status, message, header = refused(ask, claude, NOVA)
    assert (code, status) == ("AccessDeniedException", 403)
    assert message == (
        "User: arn:aws:iam::000000000000:user/claude is not authorized to perform: bedrock:InvokeModel on "
        f"resource: arn:aws:bedrock:us-east-1::foundation-model/{NOVA} because no identity-based policy allows "
        "the bedrock:InvokeModel action")
    code, _, message, _ = refused(claude.converse_stream, modelId=HAIKU,
                                  messages=[{"role": "user", "content": [{"text": "hi"}]}])
    assert code == "AccessDeniedException" and "bedrock:InvokeModelWithResponseStream" in message
    bedrock = client(guarded, made["claude"], "bedrock")
    assert bedrock.list_foundation_models()["modelSummaries"]
    assert refused(bedrock.get_foundation_model, modelIdentifier=HAIKU)[0] == "AccessDeniedException"


def test_a_profile_is_allowed_by_its_own_name(guarded, made):
    by_profile = client(guarded, made["profile"])
    assert ask(by_profile, PROFILE) == "Granite."
    assert f"inference-profile/us.{NOVA}" in refused(ask, by_profile, "us." + NOVA)[2]
    assert f"foundation-model/{HAIKU}" in refused(ask, by_profile, HAIKU)[2]


def test_requests_and_tokens_a_minute_have_bounds(guarded, made):
    two = client(guarded, made["two"])
    ask(two), ask(two)
    code, status, message, _ = refused(ask, two)
    assert (code, status, message) == ("ThrottlingException", 429,
                                       "Too many requests, please wait before trying again.")
    tokens = client(guarded, made["tokens"])
    for _ in range(5):
        ask(tokens, maxTokens=900)  # taken, and given back when the answer was short
    assert refused(ask, tokens, maxTokens=990)[:3] == (
        "ThrottlingException", 429, "Too many tokens, please wait before trying again.")


def test_a_key_is_gone_within_a_second_of_its_revocation(guarded, keys):
    key = keys.create("short-lived")
    runtime = client(guarded, key)
    end = time.monotonic() + craton.patience(10)
    while True:
        try:
            assert ask(runtime) == "Granite."
            break
        except botocore.exceptions.ClientError:
            assert time.monotonic() < end, "a new key is not seen"
            time.sleep(0.1)
    assert run_craton("keys", "revoke", "short-lived", "--keys", keys.file).returncode == 0
    while True:
        try:
            ask(runtime)
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "UnrecognizedClientException"
            break
        assert time.monotonic() < end, "a revoked key is still taken"
        time.sleep(0.1)


# --- The command line ------------------------------------------------------------------------------------

def test_keys_are_listed_without_their_secrets(keys, made):
    listed = run_craton("keys", "list", "--keys", keys.file)
    for key in made.values():
        assert key["keyId"] in listed.stdout
        for secret in ("secretAccessKey", "sessionToken", "bearerToken"):
            assert key.get(secret, "-") == "-" or key[secret] not in listed.stdout
    rows = json.loads(run_craton("keys", "list", "--keys", keys.file, "--output", "json").stdout)
    assert {row["name"] for row in rows} >= {"ci", "app", "claude"}
    stored = keys.file.read_text()
    assert made["app"]["bearerToken"] not in stored and made["temporary"]["sessionToken"] not in stored
    assert keys.file.stat().st_mode & 0o777 == 0o600


def test_no_secret_comes_into_the_log(guarded, made):
    ask(client(guarded, made["temporary"]))
    plain(guarded, "/foundation-models", {"Authorization": f"Bearer {made['app']['bearerToken']}"})
    log = guarded.log()
    for key in made.values():
        for secret in ("secretAccessKey", "sessionToken", "bearerToken"):
            assert key.get(secret, "a secret") not in log


def test_whoever_can_be_reached_by_others_verifies(tmp_path):
    done = run_craton("serve", "--model", "none", "--port", "0", "--host", "0.0.0.0", "--auth", "open")
    assert done.returncode == 1 and "would serve anybody who reaches 0.0.0.0" in done.stderr
    with craton.serving("--model", "none", "--auth", "verify", "--keys", tmp_path / "none.json") as server:
        assert "auth: verify, 0 key(s)" in server.output()
        assert "craton keys create NAME" in server.output()


# --- Whatever botocore signs -----------------------------------------------------------------------------

ALPHABET = string.ascii_letters + string.digits + "-._~:/@!$'()*,;=+ %äé漢字🪨"


def some_text(rng, most=24):
    return "".join(rng.choices(ALPHABET, k=rng.randint(1, most)))


def some_request(rng, server, key):
    """A signed request for a model of some name, with a random query, headers and body, as it goes out."""
    path = "/foundation-models/" + urllib.parse.quote(some_text(rng), safe=rng.choice(["", ":", "~:"]))
    if rng.random() < 0.3:
        path = "/foundation-models/" + urllib.parse.quote(
            f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}", safe=rng.choice(["", ":"]))
    query = urllib.parse.urlencode([(some_text(rng, 8), some_text(rng)) for _ in range(rng.randint(0, 4))],
                                   quote_via=urllib.parse.quote)
    headers = {f"x-{rng.choice(string.ascii_lowercase)}{number}": rng.choice(
        ["plain", "  two   spaces ", "a,b", "tab\there"]) for number in range(rng.randint(0, 3))}
    body = some_text(rng, 200).encode() if rng.random() < 0.5 else b""
    request = botocore.awsrequest.AWSRequest("GET", f"{server.url}{path}" + (f"?{query}" if query else ""),
                                             headers=headers, data=body)
    told = botocore.credentials.Credentials(key["accessKeyId"], key["secretAccessKey"], key.get("sessionToken"))
    botocore.auth.SigV4Auth(told, "bedrock", "us-east-1").add_auth(request)
    signed = dict(request.headers.items())
    return request.url.removeprefix(server.url), signed, body


def changed(rng, target, headers, body):
    """The same request with one thing changed that was signed."""
    headers = dict(headers)
    what = rng.choice(["signature", "path", "query", "header", "body"])
    if what == "signature":
        at = headers["Authorization"].index("Signature=") + 10 + rng.randrange(64)
        digit = headers["Authorization"][at]
        other = rng.choice([c for c in "0123456789abcdef" if c != digit])
        headers["Authorization"] = headers["Authorization"][:at] + other + headers["Authorization"][at + 1:]
    elif what == "path":
        path, mark, query = target.partition("?")
        target = path + "x" + mark + query
    elif what == "query":
        target += ("&" if "?" in target else "?") + "added=1"
    elif what == "header":
        headers["X-Amz-Date"] = headers["X-Amz-Date"][:-2] + str((int(headers["X-Amz-Date"][-2]) + 1) % 10) + "Z"
    else:
        body += b"x"
    return target, headers, body


def test_thousands_of_random_requests_verify_and_no_changed_one(guarded, made):
    rng = random.Random(2026)
    connection = http.client.HTTPConnection("127.0.0.1", guarded.port, timeout=craton.patience(20))

    def kind(target, headers, body):
        connection.request("GET", target, body=body, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, (answer.getheader("x-amzn-errortype") or "").split(":")[0]

    for number in range(300 if craton.sanitized() else 2000):
        key = made[rng.choice(["ci", "temporary"])]
        request = some_request(rng, guarded, key)
        status, refusal = kind(*request)
        assert status in (200, 400, 404), f"{number}: {status} {refusal} {request}"
        status, refusal = kind(*changed(rng, *request))
        assert (status, refusal) == (403, "InvalidSignatureException"), f"{number}: {request}"
