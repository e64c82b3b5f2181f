"""Who may send webhooks."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from mi_core.api.problems import Refused
from mi_core.api.signatures import Verifier
from mi_core.errors import SettingsError
from mi_core.settings import load_settings

# Of the Standard Webhooks specification's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
SIGNED = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
OTHER = "whsec_" + base64.b64encode(b"another secret, of 24 by").decode()
HMAC = {"x-posthog-signature": hmac.digest(b"old", BODY, hashlib.sha256).hex()}


def verifier(*, is_open: bool = False, **settings: str) -> Verifier:
    return Verifier.of(load_settings(**settings), is_open=is_open)


def status(
    checked: Verifier, headers: Mapping[str, str], body: bytes = BODY, at: datetime = NOW
) -> int:
    """200, or the status of the refusal."""
    try:
        checked.check(Headers(headers), body, at)
    except Refused as refused:
        return refused.status
    return 200


@pytest.mark.parametrize("secrets", [SECRET, f"{OTHER}, {SECRET}", f"{SECRET},{OTHER}", SECRET[6:]])
def test_a_standard_webhook_is_known_by_any_secret(secrets: str):
    known = verifier(webhook_signing_secret=secrets)

    assert known.check(Headers(SIGNED), BODY, NOW) == SIGNED["webhook-id"]


@pytest.mark.parametrize(
    "signature",
    [
        SIGNED["webhook-signature"] + " v1,AAAA",
        "v1,AAAA v1a,BBBB " + SIGNED["webhook-signature"],
        "garbage " + SIGNED["webhook-signature"],
    ],
)
def test_one_good_signature_of_several_is_enough(signature: str):
    known = verifier(webhook_signing_secret=SECRET)

    assert status(known, SIGNED | {"webhook-signature": signature}) == 200


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"webhook-signature": "v1,AAAA"}, 401),
        ({"webhook-signature": "garbage"}, 401),
        ({"webhook-signature": "v1,a,b"}, 401),
        ({"webhook-signature": ""}, 401),
        ({"webhook-signature": SIGNED["webhook-signature"].replace("v1", "v2")}, 401),
        ({"webhook-signature": "v1,\xff"}, 401),
        ({"webhook-id": "other"}, 401),
        ({"webhook-id": "a.b"}, 400),
        ({"webhook-id": ""}, 400),
        ({"webhook-id": "x" * 201}, 400),
        ({"webhook-timestamp": "soon"}, 400),
        ({"webhook-timestamp": "-5"}, 400),
        ({"webhook-timestamp": "9" * 40}, 400),
        ({"webhook-timestamp": "1614265331"}, 401),
    ],
)
def test_a_signature_that_proves_nothing_is_refused(changed: dict[str, str], expected: int):
    assert status(verifier(webhook_signing_secret=SECRET), SIGNED | changed) == expected


def test_the_body_counts_to_the_byte():
    assert status(verifier(webhook_signing_secret=SECRET), SIGNED, BODY + b" ") == 401


@pytest.mark.parametrize(
    ("seconds", "expected"), [(300, 200), (-300, 200), (301, 401), (-301, 401)]
)
def test_five_minutes_are_tolerated_both_ways(seconds: int, expected: int):
    then = NOW + timedelta(seconds=seconds)

    assert status(verifier(webhook_signing_secret=SECRET), SIGNED, at=then) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (HMAC, 200),
        ({"x-posthog-signature": "sha256=" + HMAC["x-posthog-signature"].upper()}, 200),
        ({"x-posthog-signature": "0" * 64}, 401),
        ({"x-posthog-signature": "0" * 63}, 400),
        ({"x-posthog-signature": "é" * 64}, 400),
        ({}, 401),
    ],
)
def test_a_hex_hmac_of_the_body(headers: dict[str, str], expected: int):
    assert status(verifier(webhook_hmac_secret="new,old"), headers) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-webhook-token": "two"}, 200),
        ({"authorization": "Bearer one"}, 200),
        ({"authorization": "bearer two"}, 200),
        ({"authorization": "Basic one"}, 401),
        ({"authorization": "Bearer three"}, 401),
        ({"x-webhook-token": "ÿ"}, 401),
        ({"x-webhook-token": ""}, 401),
        ({}, 401),
    ],
)
def test_a_static_token(headers: dict[str, str], expected: int):
    assert status(verifier(webhook_token="one,two"), headers) == expected


def test_a_header_that_proves_nothing_is_not_made_up_for_by_another():
    both = verifier(webhook_signing_secret=SECRET, webhook_token="one")

    assert status(both, {"x-webhook-token": "one"}) == 200
    assert status(both, SIGNED | {"webhook-id": "x", "x-webhook-token": "one"}) == 401


def test_without_any_secret_only_an_open_server_lets_webhooks_in():
    assert status(verifier(is_open=True), {}) == 200
    assert status(verifier(), SIGNED) == 401


@pytest.mark.parametrize("secret", ["whsec_", "whsec_!!!", "whsec_c2hvcnQ="])
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str):
    with pytest.raises(SettingsError, match="MI_WEBHOOK_SIGNING_SECRET must be") as told:
        verifier(webhook_signing_secret=secret)
    assert secret not in str(told.value).replace("whsec_ and", "")


HEADER = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=90)


@given(
    st.dictionaries(
        st.sampled_from([*SIGNED, *HMAC, "authorization", "x-webhook-token"]), HEADER, min_size=1
    ),
    st.binary(max_size=30),
)
def test_whatever_the_headers_hold_the_answer_is_400_or_401(headers: dict[str, str], body: bytes):
    strict = verifier(
        webhook_signing_secret=SECRET, webhook_hmac_secret="old", webhook_token="a-static-token"
    )

    assert status(strict, SIGNED | headers, body) in (400, 401)
    assert status(strict, headers, body) in (400, 401)
