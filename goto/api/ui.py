"""The page that shows a running goto and controls it. It stands on the API alone: what it shows is read, what it does is called.

It is made of static files in goto/api/ui: modules for browsers, without a build. docs/page.md says how to use it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from goto.api.files import MEDIA, File, Files
from goto.errors import NotFound
from goto.flow import Request, Response
from goto.routes import ANYBODY, get
from goto.words import one_line

FOLDER = "ui"
PAGE = "index.html"
PATH = "/goto/ui"


def files() -> dict[str, File]:
    """The files of the page, by name; licences are none of them."""
    from importlib import resources  # by most processes never

    names = (file.name for file in resources.files("goto.api").joinpath(FOLDER).iterdir())
    return {name: File(FOLDER, name) for name in sorted(names) if name.rpartition(".")[2] in MEDIA}


class UiFile(str):
    """A file of the page."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1, "examples": ["main.js"]}

    @classmethod
    def parse(cls, text: str) -> UiFile:
        return cls(one_line(text))


class Ui:
    """The page. Its files are open to anybody, as those of the page of the API are: what it calls needs the token."""

    def __init__(self) -> None:
        self._files: Files | None = None

    @get("/goto", who=ANYBODY, answers={302: {}})
    def lead(self) -> Response:
        """Lead to the page."""
        response = Response(302)
        response.headers.add("Location", PATH)
        return response

    @get(PATH, who=ANYBODY, answers={200: {"text/html": str}, 304: {}})
    def page(self, request: Request) -> Response:
        """Show this goto on a page, and control it."""
        return self._found.answer(PAGE, request)

    @get(
        f"{PATH}/{{file}}",
        who=ANYBODY,
        raises=[NotFound],
        answers={200: {"text/javascript": str, "text/css": str, "text/html": str}, 304: {}},
    )
    def file(self, file: UiFile, request: Request) -> Response:
        """Show a file of that page."""
        if file not in self._found:
            raise NotFound(f"file: the page has no {file}")
        return self._found.answer(file, request)

    @property
    def _found(self) -> Files:
        if self._files is None:
            self._files = Files(files())
        return self._files
