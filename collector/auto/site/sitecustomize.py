"""Runs at the start of every Python under `tracetui run --auto`. It may find any version, with anything installed.

It must not harm the program it is in: whatever goes wrong is said once, on stderr, and the program goes on. It hands
over to the sitecustomize that would have been found without it. Old syntax on purpose.
"""

import os
import sys

VARIABLE = "_TRACETUI_AUTO"
SAID = "_TRACETUI_AUTO_SAID"
WATCHED = ("openai", "anthropic", "langchain_core")


def say(problem):
    """Tell the user, once for all processes of the command."""
    if os.environ.get(SAID):
        return
    os.environ[SAID] = "1"
    try:
        sys.stderr.write("tracetui: --auto: %s\n" % problem)
    except Exception:
        pass


class Lender:
    """Finds `collector`, and what it needs, where they are not installed. Last in line, so that whatever the program
    has itself comes first."""

    def __init__(self, given):
        self.places = {"collector": given["collector"]}
        if given["tag"] == sys.implementation.cache_tag:  # compiled modules fit one version only
            self.places.update(given["lent"])

    def find_spec(self, name, path=None, target=None):
        place = self.places.get(name)
        if place is None:
            return None
        from importlib.machinery import PathFinder

        return PathFinder.find_spec(name, [place], target)


class Watch:
    """Waits for the import of a client library, and wires it when it is complete."""

    def __init__(self, given):
        self.given = given
        self.busy = set()

    def find_spec(self, name, path=None, target=None):
        if name not in WATCHED or name in self.busy:
            return None
        self.busy.add(name)
        try:
            return self.found(name, path, target)
        except Exception as problem:
            say("%s is not traced: %r" % (name, problem))
            return None
        finally:
            self.busy.discard(name)

    def found(self, name, path, target):
        for finder in sys.meta_path:
            look = getattr(finder, "find_spec", None)
            spec = look(name, path, target) if look is not None and finder is not self else None
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    self.listen(name, spec.loader)
                return spec
        return None

    def listen(self, name, loader):
        run = loader.exec_module

        def exec_module(module):
            run(module)
            try:
                wire(name, module, self.given)
            except Exception as problem:
                say("%s is not traced: %r" % (name, problem))

        loader.exec_module = exec_module


def wire(name, module, given):
    """Borrow the collector, now that there is something to trace."""
    problem = missing(given)
    if problem:
        say("%s in %s is not traced: %s" % (name, sys.executable, problem))
        return
    from collector.auto import wiring

    wiring.wire(name, module, say)


def missing(given):
    """Why the collector cannot be used here, or None. A module of the program's that is called `collector` stays its
    own."""
    if sys.version_info < (3, 11):  # noqa: UP036
        return "Python 3.11 or newer is needed, this is %d.%d" % sys.version_info[:2]
    from importlib.util import find_spec

    theirs = find_spec("collector")
    if theirs is None or not ours(theirs):
        return "the program has a module of its own called `collector`"
    if os.path.realpath(os.path.dirname(theirs.origin)) == os.path.realpath(
        os.path.join(given["collector"], "collector")
    ):
        lacking = [needed for needed in ("orjson", "platformdirs") if find_spec(needed) is None]
        if lacking:
            return "it lacks %s (`pip install tracetui` there, or only these)" % " and ".join(lacking)
    if find_spec("genai_prices") is None or find_spec("sqlite_utils") is None:
        os.environ.setdefault("TRACETUI_URL", given["url"])  # what writes the file itself is not all here
    return None


def ours(spec):
    """Whether a module called collector is the one that this file belongs to."""
    places = list(spec.submodule_search_locations or [])
    return any(os.path.exists(os.path.join(place, "auto", "wiring.py")) for place in places)


def begin():
    import json

    given = json.loads(os.environ[VARIABLE])
    sys.meta_path.insert(0, Watch(given))
    sys.meta_path.append(Lender(given))


def hand_over():
    """Let the sitecustomize of the environment, if there is one, run as it would have without us."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [place for place in sys.path if os.path.abspath(place) != here]
    mine = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError as problem:
        if getattr(problem, "name", None) != "sitecustomize":
            raise
        if mine is not None:
            sys.modules["sitecustomize"] = mine


if os.environ.get(VARIABLE):
    try:
        begin()
    except Exception as problem:
        say("nothing is traced: %r" % (problem,))
hand_over()
