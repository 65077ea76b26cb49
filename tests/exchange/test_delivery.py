"""What a delivery does, and who tells whom of it."""

from __future__ import annotations

from goto.exchange.delivery import Control, Delivery


def test_what_a_delivery_does():
    for delivery in (Delivery(raw=b""), Delivery(end="close"), Delivery(end="reset")):
        assert (delivery.silent, delivery.cuts, delivery.slows) == (True, False, False)
    for delivery in (Delivery(end="close", after=0), Delivery(end="reset", share=0.5)):
        assert (delivery.silent, delivery.cuts, delivery.slows) == (False, True, False)
    assert (Delivery(end="close", after=5).cut(None), Delivery(end="close", share=0.5).cut(None)) == (5, None)
    assert [Delivery(end="close", share=share).cut(100) for share in (0.0, 0.29, 0.57, 0.295, 1.0)] == [0, 29, 57, 29, 100]
    for delivery in (Delivery(rate=1), Delivery(over=1), Delivery(stall=1, stall_at=5)):
        assert (delivery.silent, delivery.cuts, delivery.slows) == (False, False, True)


def test_control_tells_both_sides():
    heard: list[str] = []
    control = Control(heard.append, lambda: heard.append("over"))
    control.when_let_go(lambda: heard.append("free"))
    control.failed("after")
    control.over()
    control.let_go()
    control.let_go()
    assert heard == ["after", "over", "free"]
    assert control.free
    Control().failed("after")
    Control().let_go()
    Control().over()
