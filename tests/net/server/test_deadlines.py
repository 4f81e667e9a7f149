from handglass.net.server.deadlines import NEVER, Deadlines


def test_the_first_started_is_the_first_due() -> None:
    queue: Deadlines[str] = Deadlines(10)
    assert queue.next == NEVER
    assert queue.start("a", 100.0) == 110.0
    queue.start("b", 101.0)
    assert queue.next == 110.0
    assert list(queue.expired(109.9)) == []
    assert list(queue.expired(110.5)) == ["a"]
    assert queue.next == 111.0


def test_who_is_started_again_has_its_whole_time() -> None:
    queue: Deadlines[str] = Deadlines(10)
    queue.start("a", 100.0)
    queue.start("b", 101.0)
    queue.start("a", 105.0)
    assert list(queue.expired(112.0)) == ["b"]
    assert "a" in queue
    queue.stop("a")
    queue.stop("a")
    assert len(queue) == 0


def test_no_limit_is_never_due() -> None:
    queue: Deadlines[str] = Deadlines(None)
    assert queue.start("a", 0.0) == NEVER
    assert list(queue.expired(1e9)) == []


def test_who_is_stopped_while_others_expire_does_not() -> None:
    queue: Deadlines[str] = Deadlines(1)
    for name in "abc":
        queue.start(name, 0.0)
    found = []
    for name in queue.expired(2.0):
        found.append(name)
        queue.stop("b")
    assert found == ["a", "c"]
