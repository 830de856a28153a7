"""All that answers over HTTP, put together."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from demottle.errors import DemottleError
from demottle.node.log import complain
from demottle.node.web.dicomweb.query import query
from demottle.node.web.dicomweb.retrieve import retrieve
from demottle.node.web.dicomweb.store import store
from demottle.node.web.guard import App, Guard, TooLargeError
from demottle.node.web.health import health
from demottle.node.web.pages.accounts import accounts
from demottle.node.web.pages.actions import actions
from demottle.node.web.pages.entrance import entrance
from demottle.node.web.pages.images import images
from demottle.node.web.pages.seen import seen
from demottle.node.web.site import Site


def application(site: Site) -> App:
    """Return the application of a node."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for part in (health, entrance, seen, images, actions, accounts, store, query, retrieve):
        app.include_router(part(site))
    app.add_exception_handler(DemottleError, _said)
    app.add_exception_handler(TooLargeError, _large)
    app.add_exception_handler(Exception, _bug)
    return Guard(app, site)


async def _said(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 409)


async def _large(request: Request, error: Exception) -> JSONResponse:
    said = "The body is larger than it may be; send less at once."
    return JSONResponse({"detail": said}, 413, {"connection": "close"})


async def _bug(request: Request, error: Exception) -> JSONResponse:
    complain(f"a bug in a page: {type(error).__name__}")
    return JSONResponse({"detail": "This is a bug in demottle."}, 500)
