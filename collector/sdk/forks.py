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
    from collector.sdk.queue import Queue

FORK_WAIT_S = 6.0
"""How long a fork waits for the worker threads, a little more than they wait for a locked file. Beyond it the child
can only spill: what SQLite keeps in memory of its locks does not survive a fork amid a write."""
CONFIGURED = "_TRACETUI_CONFIGURED"
"""The variable of `inherit`."""

QUEUES: WeakSet[Queue] = WeakSet()
"""All there are in this process: one, but for tests."""


def before_fork() -> None:
    deadline = monotonic() + FORK_WAIT_S
    for queue in tuple(QUEUES):
        queue.before_fork(deadline)


def after_fork_in_parent() -> None:
    for queue in tuple(QUEUES):
        queue.after_fork_in_parent()
    if sys.version_info[:2] == (3, 13):
        return  # it counts threads for its warning of forks beside them after this hook: the next span starts ours
    for queue in tuple(QUEUES):
        if queue.due():
            queue.wake()


def after_fork_in_child() -> None:
    for queue in tuple(QUEUES):
        queue.after_fork_in_child()
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
