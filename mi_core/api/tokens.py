"""Who may do what: bearer tokens and their scopes."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from mi_core.api.problems import Refused
from mi_core.settings import Settings
from mi_core.signing import secrets_of

Scope = Literal["read", "write", "cron", "people"]

_BEARER = HTTPBearer(auto_error=False, description="A token of the server's environment.")
_GIVES: Mapping[str, frozenset[Scope]] = {
    "api_token": frozenset({"read", "write"}),
    "api_read_token": frozenset({"read"}),
    "cron_token": frozenset({"cron"}),
    "privacy_token": frozenset({"people"}),
}
"""Setting → the scopes that its tokens have."""


@dataclass(frozen=True, repr=False)
class Tokens:
    """The tokens of a server, by the setting that they are of.

    `is_open` says that nobody set any secret at all: then everybody on this machine may do all.
    """

    by_setting: Mapping[str, tuple[str, ...]]
    is_open: bool

    @classmethod
    def of(cls, settings: Settings, *, is_open: bool) -> "Tokens":
        return cls({name: secrets_of(getattr(settings, name)) for name in _GIVES}, is_open)

    def scopes(self, token: str) -> frozenset[Scope]:
        """What a token allows; all are compared, each in constant time."""
        gives = [_GIVES[name] for name, known in self.by_setting.items() if is_one_of(token, known)]
        return frozenset[Scope]().union(*gives)

    def settings_for(self, scope: Scope) -> str:
        """The variables whose tokens have a scope, for people."""
        return " or ".join(f"MI_{name.upper()}" for name, gives in _GIVES.items() if scope in gives)


def is_one_of(given: str, known: Iterable[str]) -> bool:
    """Whether it is one of the secrets; all are compared, each in constant time."""
    return any([hmac.compare_digest(each.encode(), given.encode()) for each in known])


def may(request: Request, scope: Scope) -> bool:
    """Whether who sent the request may do what needs `scope`."""
    tokens: Tokens = request.app.state.tokens
    given = bearer_of(request.headers)
    return tokens.is_open or bool(given and scope in tokens.scopes(given))


def bearer_of(headers: Mapping[str, str]) -> str | None:
    """The token that a request bears."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def needs(scope: Scope) -> Any:
    """A dependency of a route: only who has a token with `scope` gets in."""

    async def check(
        request: Request,
        _shown_in_docs: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> None:
        tokens: Tokens = request.app.state.tokens
        if tokens.is_open:
            return
        given = bearer_of(request.headers)
        allowed = tokens.scopes(given) if given else frozenset[Scope]()
        if not allowed:
            detail = f"This needs a bearer token, of {tokens.settings_for(scope)}."
            raise Refused(401, detail, headers={"WWW-Authenticate": "Bearer"})
        if scope not in allowed:
            detail = f"This token isn't for that; one of {tokens.settings_for(scope)} is."
            raise Refused(403, detail)

    return Depends(check)
