"""The web server's app: what it holds while it runs, and the routes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from mi_core.api.crew import Crew
from mi_core.api.draining import Draining
from mi_core.api.entry import Entry
from mi_core.api.intake import Intake
from mi_core.api.links import Links
from mi_core.api.nearby import Nearby
from mi_core.api.problems import answer_problems
from mi_core.api.routes import analytics, cron, events, marketing, people, reports, status
from mi_core.api.signatures import Verifier
from mi_core.api.tokens import Tokens
from mi_core.api.watch import Watch
from mi_core.ingest.keys import load_keys
from mi_core.settings import API_SECRETS, Settings
from mi_core.signing import secrets_of

_ABOUT = """Events in; scores, journeys and figures out.

Ids in paths and bodies are the product's own (`distinct_id`); they are hashed at the door. Every
error is `{"error": code, "detail": sentence}`. Times are UTC.
"""


def create_app(
    path: Path, settings: Settings, *, on_ready: Callable[[], object] = lambda: None
) -> FastAPI:
    """The app that serves the workspace in the folder `path`; calls `on_ready` when it can."""
    is_open = not any(secrets_of(getattr(settings, name)) for name in API_SECRETS)
    app = FastAPIOffline(
        title="Marketing intelligence",
        description=_ABOUT,
        version=version("mi-core"),
        lifespan=_running,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.folder, app.state.settings = path, settings
    app.state.on_ready = on_ready
    app.state.keys = load_keys(path, settings)
    app.state.links = Links(app.state.keys)
    app.state.tokens = Tokens.of(settings, is_open=is_open)
    app.state.verifier = Verifier.of(settings, is_open=is_open)
    app.state.capture_keys = secrets_of(settings.capture_key)
    if is_open:
        app.add_middleware(Nearby)
    app.add_middleware(
        Watch,
        tokens=app.state.tokens,
        requests_per_minute=settings.api_requests_per_minute,
    )
    answer_problems(app)
    for each in (events, marketing, analytics, people, reports, cron, status):
        app.include_router(each.router)
    return app


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    """Everything that has to run, started in order; stopped the other way round."""
    async with AsyncExitStack() as stack:
        app.state.crew = Crew(app.state.folder, app.state.settings)
        stack.callback(app.state.crew.close)
        await app.state.crew.warm_up()
        intake = Intake(app.state.crew)
        app.state.draining = Draining(app.state.crew)
        stack.push_async_callback(app.state.draining.close)
        stack.push_async_callback(intake.close)
        app.state.entry = Entry(app.state.crew, intake, app.state.draining)
        app.state.on_ready()
        yield
