"""The OpenAPI document as it is served, and the page that shows it, in a real browser."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from support import ROOT
from support.browser import Browser, page
from support.goto_process import Goto

from goto.api.docs import FILES
from goto.api.files import POLICY
from goto.api.openapi import document
from goto.instance.plugins import with_plugins
from goto.instance.wiring import route_table

EXECUTE = """(() => {
    const answer = document.querySelector(".live-responses-table tr.response .response-col_description");
    if (answer) return answer.innerText;
    if (Date.now() - (window.tried ?? 0) > 1000) {  // again, where the page was not ready for it
        window.tried = Date.now();
        document.querySelector(".opblock-put .execute").click();
    }
    return "";
})()"""

FLAKY = str(ROOT / "configs" / "features" / "flaky.py")


@pytest.fixture(scope="module")
def process(goto: Callable[..., Goto]) -> Goto:
    return goto("docs", "--feature", FLAKY)


def test_the_document_is_of_the_routes_there_are(process: Goto) -> None:
    answer = process.call("GET", "/goto/openapi.json")
    assert answer.value("content-type") == "application/json"
    assert answer.json() == json.loads(json.dumps(document(route_table(with_plugins([FLAKY])), guarded=False)))
    assert any("flaky" in path for path in answer.json()["paths"])


@pytest.mark.parametrize("path", ["/goto/openapi.json", "/goto/docs", *(f"/goto/docs/{name}" for name in FILES)])
def test_what_a_client_has_is_not_sent_again(process: Goto, path: str) -> None:
    first = process.call("GET", path)
    tag = first.value("etag")
    assert (first.status, bool(first.body), first.value("cache-control")) == (200, True, "no-cache")
    assert tag
    for known in (tag, f'"x", W/{tag}', "*"):
        again = process.call("GET", path, headers={"If-None-Match": known})
        assert (again.status, again.body, again.value("etag")) == (304, b"", tag)
    assert process.call("GET", path, headers={"If-None-Match": '"x"'}).body == first.body
    head = process.call("HEAD", path)
    assert (head.status, head.body, head.value("etag")) == (200, b"", tag)


def test_files_of_the_page(process: Goto) -> None:
    for name, file in FILES.items():
        answer = process.call("GET", f"/goto/docs/{name}")
        assert (answer.value("content-type"), answer.value("content-security-policy")) == (file.media, POLICY)
        assert answer.value("x-content-type-options") == "nosniff"
    for name in ("nope", "..%2Fopenapi.py", "LICENSE"):
        assert process.call("GET", f"/goto/docs/{name}").status == 404


def test_the_viewer_is_the_one_the_makefile_gets() -> None:
    folder = ROOT / "goto" / "api" / "swagger-ui"
    version = re.findall(r"^VIEWER := (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert version
    assert f'"{version[0]}"' in (folder / "swagger-ui-bundle.js").read_text()
    files = re.findall(r"^VIEWER_FILES := (.*)$", (ROOT / "Makefile").read_text(), re.M)[0].split()
    assert {file.name for file in folder.iterdir()} == set(files) > {"LICENSE", "NOTICE"}


def test_the_page_shows_the_routes_calls_them_and_asks_nobody_else(process: Goto, browser: Browser) -> None:
    asyncio.run(_look(process, browser))


def test_the_page_opens_with_something_to_see(process: Goto, goto: Callable[..., Goto], browser: Browser) -> None:
    guarded = goto("guarded", "--host", "127.0.0.1", env={"GOTO_ADMIN_TOKEN": "admin-s3cr3t"})

    async def look() -> None:
        for asked, padlocks in ((process, False), (guarded, True)):
            async with page(browser) as shown:
                await shown.open(f"{asked.base}/goto/docs")
                await shown.until("document.querySelectorAll('.opblock-tag-section.is-open .opblock').length")
                opened = await shown.run(
                    "[...document.querySelectorAll('.opblock-tag-section.is-open .opblock-tag')].map(tag => tag.dataset.tag)"
                )
                assert opened == [asked.call("GET", "/goto/openapi.json").json()["tags"][0]["name"]]
                locks = await shown.run("document.querySelectorAll('.authorize, .authorization__btn').length")
                assert bool(locks) is padlocks
                assert await shown.run("document.querySelector('.ui a').getAttribute('href')") == "/goto/ui"
                # JSON is what it asks for
                await shown.run("document.querySelector('.opblock-get .opblock-summary-control').click()")
                media = "document.querySelector('.opblock-get .content-type')?.value"
                assert await shown.until(media) == "application/json"
                assert shown.complaints == []

    asyncio.run(look())


async def _look(process: Goto, browser: Browser) -> None:
    async with page(browser) as shown:
        # a link to one route, which the page unfolds with the others of its feature
        await shown.open(f"{process.base}/goto/docs#/Delay/put_response_delay_set__delay")
        await shown.until("document.querySelectorAll('.opblock-put .execute').length")
        tags = {tag["name"] for tag in process.call("GET", "/goto/openapi.json").json()["tags"]}
        assert set(await shown.run("[...document.querySelectorAll('.opblock-tag')].map(tag => tag.dataset.tag)")) == tags
        paths = await shown.run("[...document.querySelectorAll('.opblock-summary-path')].map(path => path.dataset.path)")
        assert set(paths) == {"/response/delay/set/{delay}", "/response/delay/clear", "/response/delay"}
        # called from the page with the example that the document has
        answer = await shown.until(EXECUTE)
        assert "200ms" in answer
        assert process.call("GET", "/response/delay").text == "Response delay: 200ms\n"
        hosts = {urlsplit(url).netloc for url in shown.requests if not url.startswith("data:")}
        assert (hosts, shown.complaints) == ({f"127.0.0.1:{process.port}"}, [])
        # and nothing could get it to: the policy is in force
        assert await shown.run(f"fetch('http://localhost:{process.port}/label').then(() => 'got', () => 'refused')") == "refused"
        assert any("Content Security Policy" in complaint for complaint in shown.complaints)
