"""The process forks: the worker threads stop before it and let go of the file, so that neither a thread nor a
connection is carried over. They start again when there is something to do, in the parent and in the child.

Hooked when this is imported, and not with the first span: another thread may be busy with that one at the fork.
"""

from __future__ import annotations

import os
import sys
import threading
from time import monotonic, sleep
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from collector.sdk.live import Span
    from collector.sdk.queue import Queue

FORK_WAIT_S = 6.0
"""How long a fork waits for the worker threads, a little more than they wait for a locked file. Beyond it the child
can only spill: what SQLite keeps in memory of its locks does not survive a fork amid a write."""
CONFIGURED = "_TRACETUI_CONFIGURED"
"""The variable of `inherit`."""

QUEUES: WeakSet[Queue] = WeakSet()
"""All there are in this process: one, but for tests."""


def _pause(queue: Queue, deadline: float) -> None:
    """Stop the thread, and let it close the file, until `deadline` (monotonic)."""
    got = queue.lock.acquire(timeout=max(0.0, deadline - monotonic()))  # another thread may be starting it
    queue.forking += 1
    if got:
        queue.lock.release()
    if queue.worker is not None:
        queue.worker.pause(deadline)


def _resume(queue: Queue) -> None:
    """In the parent. The next span starts the thread, unless it is due before."""
    queue.forking -= 1
    if not queue.forking:
        if queue.worker is not None:
            queue.worker.pausing = False  # a thread that did not end in time just goes on
        queue.idle = True


def _begin_anew(queue: Queue) -> None:
    """In the child. What is queued belongs to the parent, and its thread does not exist here."""
    queue.renew()
    queue.starts.clear()
    queue.ends.clear()
    queue.scores.clear()
    queue.losses.clear()
    queue.bytes = queue.forking = 0
    queue.ancestors.append((queue.now(), os.getppid()))
    if queue.worker is not None and queue.worker.abandon():
        queue.only_spill()
    queue.worker = None
    queue.idle = True


def of_ancestor(queue: Queue, span: Span) -> bool:
    """Whether a span was open when this process was forked, and who began it lives on: then it ends there."""
    from collector.sdk.process import lives

    for forked, pid in queue.ancestors:
        if span.began < forked:
            return os.getppid() == pid if (forked, pid) == queue.ancestors[-1] else lives(pid)
    return False


def before_fork() -> None:
    deadline = monotonic() + FORK_WAIT_S
    for queue in tuple(QUEUES):
        _pause(queue, deadline)


def after_fork_in_parent() -> None:
    for queue in tuple(QUEUES):
        _resume(queue)
    if sys.version_info[:2] == (3, 13):
        return  # it counts threads for its warning of forks beside them after this hook: the next span starts ours
    for queue in tuple(QUEUES):
        if queue.due():
            queue.wake()


def after_fork_in_child() -> None:
    for queue in tuple(QUEUES):
        _begin_anew(queue)
    if CONFIGURED in os.environ:
        from collector.sdk.inherit import pass_to_fork

        pass_to_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=before_fork, after_in_parent=after_fork_in_parent, after_in_child=after_fork_in_child)


def wait_until_gone(thread: threading.Thread, deadline: float) -> None:
    """Until the kernel knows nothing of a thread that was joined. Python up to 3.12 joins a little before that, and
    its warning of forks beside threads counts what the kernel knows."""
    if not sys.platform.startswith("linux") or thread.native_id in (None, threading.get_native_id()):
        return
    task = f"/proc/self/task/{thread.native_id}"
    while monotonic() < deadline and os.path.exists(task):
        sleep(0.0001)
