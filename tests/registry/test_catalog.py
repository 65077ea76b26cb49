"""Targets by label, and their revisions."""

from __future__ import annotations

import pytest

from goto.client.target import ClientTarget
from goto.errors import Conflict
from goto.registry import catalog as module
from goto.registry.catalog import Catalog
from goto.words.reading import read_struct


def target(name: str, path: str = "/") -> ClientTarget:
    return read_struct({"name": name, "method": "GET", "url": f"http://127.0.0.1:9{path}"}, ClientTarget)[0]


def test_targets_are_kept_by_label_in_order():
    catalog = Catalog()
    assert [catalog.put("a", target("t1")), catalog.put("a", target("t2")), catalog.put("b", target("t1", "/b"))] == [True] * 3
    assert not catalog.put("a", target("t1", "/new"))
    assert {name: one.url for name, one in catalog.of("a").items()} == {
        "t1": "http://127.0.0.1:9/new",
        "t2": "http://127.0.0.1:9/",
    }
    assert list(catalog.of("a")) == ["t1", "t2"]
    assert list(catalog.of("b")) == ["t1"]
    assert catalog.of("c") == {}
    assert ("a" in catalog, "c" in catalog) == (True, False)


def test_every_change_has_a_revision_and_every_catalog_an_epoch():
    catalog, seen = Catalog(), []
    for change in (
        lambda: catalog.put("a", target("t1")),
        lambda: catalog.put("a", target("t1")),
        lambda: catalog.remove("a", "t1"),
        lambda: catalog.put("a", target("t1")),
        lambda: catalog.clear("a"),
        lambda: catalog.clear("a"),
        catalog.clear_all,
    ):
        change()
        seen.append(catalog.revision)
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert Catalog().epoch != catalog.epoch


def test_removing_and_clearing():
    catalog = Catalog()
    for name in ("t1", "t2"):
        catalog.put("a", target(name))
    catalog.remove("a", "t1")
    for label, name in (("a", "t1"), ("b", "t1")):
        with pytest.raises(KeyError):
            catalog.remove(label, name)
    assert catalog.revision == 3, "a removal that did nothing is no change"
    assert (catalog.clear("a"), catalog.clear("a")) == (1, 0)
    catalog.put("b", target("t3"))
    assert catalog.clear_all() == 1
    assert "b" not in catalog


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_LABEL_TARGETS", 2)
    monkeypatch.setattr(module, "MOST_REGISTRY_TARGETS", 3)
    catalog = Catalog()
    catalog.put("a", target("t1"))
    catalog.put("a", target("t2"))
    with pytest.raises(Conflict, match="label a has 2 targets"):
        catalog.put("a", target("t3"))
    assert not catalog.put("a", target("t2", "/new"))
    catalog.put("b", target("t1"))
    with pytest.raises(Conflict, match="there are 3 targets"):
        catalog.put("c", target("t1"))
    assert "c" not in catalog
