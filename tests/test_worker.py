"""`Worker`: one thread, in order, and a failure of a job is told."""

import gc
import os
import threading
import weakref

import pytest

from token_otel.worker import MAX_WAITING, Worker


class Errors(list[str]):
    """Keeps what a worker tells."""

    def tell(self, error: Exception) -> None:
        self.append(str(error))


def nothing() -> None:
    """Do nothing."""


@pytest.fixture
def errors() -> Errors:
    return Errors()


def fail() -> None:
    raise ValueError("broken")


def test_jobs_run_in_order_on_one_thread(errors: Errors):
    """Each after the one before."""
    worker, seen = Worker(nothing, on_error=errors.tell), list[tuple[int, str]]()
    for number in range(100):
        worker.submit(lambda number=number: seen.append((number, threading.current_thread().name)))
    worker.drain()

    assert seen == [(number, "token-otel") for number in range(100)]


def test_inline_jobs_run_at_once_in_the_caller(errors: Errors):
    """No thread is started."""
    worker, seen = Worker(nothing, on_error=errors.tell, inline=True), list[threading.Thread]()
    worker.submit(lambda: seen.append(threading.current_thread()))
    worker.drain()

    assert seen == [threading.current_thread()]


@pytest.mark.parametrize("inline", [True, False])
def test_a_job_that_fails_is_told_and_the_next_one_runs(errors: Errors, inline: bool):
    """The thread survives."""
    worker, seen = Worker(nothing, on_error=errors.tell, inline=inline), list[int]()
    worker.submit(fail)
    worker.submit(lambda: seen.append(1))
    worker.drain()

    assert (errors, seen) == (["broken"], [1])


def test_beyond_the_bound_jobs_are_dropped(errors: Errors):
    """A worker that is stuck costs no memory."""
    worker, gate, seen = Worker(nothing, on_error=errors.tell), threading.Event(), list[int]()
    worker.submit(lambda: gate.wait(10))
    for number in range(10_100):
        worker.submit(lambda number=number: seen.append(number))
    gate.set()
    worker.drain()

    assert 10_000 <= len(seen) <= 10_001  # the first job may or may not have left the queue by then


def test_an_idle_worker_ticks(errors: Errors):
    """About once a second."""
    ticked = threading.Event()
    worker = Worker(ticked.set, on_error=errors.tell)
    worker.submit(nothing)

    assert ticked.wait(10)


def test_a_worker_drained_from_its_own_thread_does_not_wait_for_itself(errors: Errors):
    """A provider that is flushed by a job would otherwise block it."""
    worker, seen = Worker(nothing, on_error=errors.tell), list[int]()
    worker.submit(worker.drain)
    worker.submit(lambda: seen.append(1))
    worker.drain()

    assert seen == [1]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_begins_anew(errors: Errors):
    """The thread stayed behind in the parent."""
    worker = Worker(nothing, on_error=errors.tell)
    worker.submit(nothing)
    worker.drain()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        worker.forked()
        worker.submit(lambda: os.write(write, b"done"))
        worker.drain()
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)

    assert said == b"done"


def test_an_inline_worker_is_not_kept_alive(errors: Errors):
    """Nothing in the process holds on to it."""
    alive = weakref.ref(Worker(nothing, on_error=errors.tell, inline=True))
    gc.collect()

    assert alive() is None


def test_a_worker_that_has_enough_says_so():
    """10,000 jobs may wait."""
    started, go = threading.Event(), threading.Event()
    worker = Worker(lambda: None, on_error=lambda _: None)
    worker.submit(lambda: (started.set(), go.wait(10)))
    started.wait(10)

    assert all(worker.submit(lambda: None) for _ in range(MAX_WAITING))
    assert not worker.submit(lambda: None)
    go.set()
    worker.drain()
    assert worker.submit(lambda: None)
    worker.drain()
