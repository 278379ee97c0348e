"""The process is told to end, or ends: what its queues hold is written. One set of hooks for all of them.

Nothing is hooked before the first span or `configure()`.

- SIGTERM: only where the default handler stands, and only from the main thread: what there is is written, within the
  time that an exit may take, and the process dies by the signal all the same.
- An exit: `atexit`, and `multiprocessing`'s finalizers, whose children leave without `atexit`.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from collector.sdk.forks import QUEUES

RESCUE_S = 0.5
"""What spilling may take beyond the wait of an exit."""
LAST = -100
"""The priority of our finalizer: those of the program may still record spans."""

_HOOKED: set[str] = set()


def watch() -> None:
    """From now on, see to it that what the queues hold outlives the process."""
    if "exit" not in _HOOKED:
        _HOOKED.add("exit")
        import atexit

        atexit.register(at_exit)
    _watch_child_exit()
    _watch_sigterm()


def _watch_child_exit() -> None:
    """Once a child: `multiprocessing` forgets the finalizers of its parent when it begins a forked one."""
    process = sys.modules.get("multiprocessing.process")
    once = f"end of child {os.getpid()}"
    if process is None or process.parent_process() is None or once in _HOOKED:
        return
    _HOOKED.add(once)
    from multiprocessing import util

    util.Finalize(None, at_exit, exitpriority=LAST)


def _watch_sigterm() -> None:
    if os.name == "nt" or threading.current_thread() is not threading.main_thread():
        return
    import signal

    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, told_to_end)


def told_to_end(number: int, frame: Any) -> None:
    """Write what there is, then die by the signal. A handler that was set over ours and calls it only gets a flush:
    what becomes of the process is its business."""
    import signal

    if signal.getsignal(number) is not told_to_end:
        _beside(_flush_all, lambda: None)
        return
    signal.signal(number, signal.SIG_DFL)  # a second one ends it at once
    _beside(_close_all, lambda: os.kill(os.getpid(), number))


def _beside(act: Callable[[], None], then: Callable[[], None]) -> None:
    """Do it on a thread of its own, as this one may hold any of our locks, wait for as long as an exit may take, go on.

    gevent runs signal handlers in its hub, which must not wait, or in our own worker, for which that would wait:
    there the thread, a greenlet, goes on by itself.
    """
    import _thread

    here = threading.current_thread()
    left = any(queue.worker is not None and queue.worker.thread is here for queue in tuple(QUEUES))
    done = _thread.allocate_lock()
    done.acquire()

    def run() -> None:
        try:
            act()
        finally:
            done.release()
            if left:
                then()

    try:
        _thread.start_new_thread(run, ())
    except RuntimeError:  # no thread can be started
        for queue in tuple(QUEUES):
            queue.rescue()
        then()
        return
    if left:
        return
    try:
        done.acquire(timeout=_exit_wait_s() + RESCUE_S)
    except Exception:
        left = True
    else:
        then()


def _exit_wait_s() -> float:
    return max((queue.exit_wait_s() for queue in tuple(QUEUES)), default=0.0)


def _close_all() -> None:
    for queue in tuple(QUEUES):
        queue.close()


def _flush_all() -> None:
    for queue in tuple(QUEUES):
        queue.flush(queue.exit_wait_s())


def at_exit() -> None:
    """Write what there is; what is recorded from now on goes to the spill file."""
    for queue in tuple(QUEUES):
        queue.at_exit()
