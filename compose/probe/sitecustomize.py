"""A thread inside the code server that tells how full its gRPC worker pool is.

Python imports this file at start-up when its folder is on PYTHONPATH. It does nothing unless
POOL_PROBE is set and this process is `dagster api grpc`; see README.md beside it. Standard
library only, Python 3.8 or later. Whatever goes wrong in here must not reach the server.
"""

# Every interpreter start pays for what is imported here, and 3.8 lacks some of what is asked for.
# ruff: noqa: PTH100, PTH120, PTH123, SIM105, SIM115, RUF007, B905

import os
import sys

_RETRY_S = 0.2
_HEAP_SEARCH_AFTER_S = 10.0
_GIVE_UP_AFTER_ERRORS = 50


def _command_line():
    # sys.argv is not filled in yet while `site` runs.
    given = getattr(sys, "orig_argv", None)
    if given:
        return list(given)
    with open("/proc/self/cmdline", "rb") as file:  # Python 3.8 and 3.9
        return file.read().decode("utf-8", "replace").split("\0")


def _is_code_server(arguments):
    # Run and step processes inherit the variable; theirs is a multiprocessing command line.
    if "--multiprocessing-fork" in arguments:
        return False
    return ("api", "grpc") in zip(arguments, arguments[1:])


class _Probe:
    """Finds the pool once, then writes one line a beat."""

    def __init__(self, destination, rate_hz):
        self._destination = destination
        self._period_s = 1.0 / rate_hz
        self._file = None

    def run(self):
        try:
            self._sample_forever()
        except BaseException as error:  # includes what an interpreter going down raises
            self._tell_of(error)

    def _sample_forever(self):
        import time

        if self._destination != "stderr":
            self._file = open(self._destination, "ab", buffering=0)
        pool, servicer = self._find(time)
        errors = 0
        first = time.monotonic()
        beat = 0
        while errors < _GIVE_UP_AFTER_ERRORS:
            late_s = time.monotonic() - (first + beat * self._period_s)
            try:
                self._write(_look(pool, servicer, time.time(), late_s))
                errors = 0
            except Exception as error:
                errors += 1
                if errors == _GIVE_UP_AFTER_ERRORS:
                    self._tell_of(error)
            # Beats that passed meanwhile are skipped, never caught up.
            beat = int((time.monotonic() - first) / self._period_s) + 1
            time.sleep(max(0.0, first + beat * self._period_s - time.monotonic()))

    def _find(self, time):
        began = time.monotonic()
        heap_search_at = began + _HEAP_SEARCH_AFTER_S
        while True:
            if "dagster._grpc.server" in sys.modules:
                state = _serving_state()
                if state is not None:
                    return state.thread_pool, _servicer(state)
                if time.monotonic() > heap_search_at:
                    pool = _pool_on_the_heap()
                    if pool is not None:
                        return pool, None
                    heap_search_at = time.monotonic() + 6 * _HEAP_SEARCH_AFTER_S
            time.sleep(_RETRY_S)

    def _tell_of(self, error):
        try:
            self._write({"error": f"{type(error).__name__}: {error}"})
        except BaseException:
            pass

    def _write(self, fields):
        import json

        line = json.dumps(dict(probe="pool", **fields), separators=(",", ":")).encode() + b"\n"
        # One unbuffered write a line: whole lines for a reader, also beside other writers.
        if self._file is None:
            os.write(2, b"@pool_probe " + line)
        else:
            self._file.write(line)


def _serving_state():
    """gRPC's own state, from the arguments of the thread that serves it."""
    import threading

    for thread in threading.enumerate():
        for argument in getattr(thread, "_args", None) or ():
            if hasattr(getattr(argument, "thread_pool", None), "_work_queue"):
                return argument
    return None


def _servicer(state):
    """Dagster's servicer, which keeps the run processes; None where gRPC hides it."""
    try:
        tables = [getattr(state, "registered_method_handlers", None) or {}]
        tables += [getattr(h, "_method_handlers", {}) for h in state.generic_handlers]
        for table in tables:
            handler = table.get("/api.DagsterApi/Ping")
            if handler is not None:
                return handler.unary_unary.__self__
    except Exception:
        pass
    return None


def _pool_on_the_heap():
    """The second way, for a gRPC that starts its thread differently; tens of milliseconds.

    Only a pool that has worked counts: a server still loading code is found the first way later.
    """
    import gc

    for candidate in gc.get_objects():
        if type(candidate).__name__ == "FuturesAwareThreadPoolExecutor" and candidate._threads:
            return candidate
    return None


def _look(pool, servicer, now, late_s):
    threads = list(pool._threads)
    executions = getattr(servicer, "_executions", None)
    return {
        "t": now,
        "due": now - late_s,
        "queue": pool._work_queue.qsize(),
        "busy": _busy(threads),
        "threads": len(threads),
        "max": pool._max_workers,
        "executions": None if executions is None else len(executions),
    }


def _busy(threads):
    # The pool's own idle count lies before Python 3.12: a thread that goes straight to the next
    # queued request still counts as idle. A thread without work is in `_worker` itself.
    frames = sys._current_frames()
    busy = 0
    for thread in threads:
        frame = frames.get(thread.ident)
        if frame is not None and frame.f_code.co_name != "_worker":
            busy += 1
    return busy


def _start():
    destination = os.environ.get("POOL_PROBE", "")
    if not destination or not _is_code_server(_command_line()):
        return
    import threading

    try:
        rate_hz = min(50.0, max(0.1, float(os.environ.get("POOL_PROBE_HZ") or 5)))
    except ValueError:
        rate_hz = 5.0
    probe = _Probe(destination, rate_hz)
    threading.Thread(target=probe.run, name="pool-probe", daemon=True).start()


def _next_on_path():
    """The sitecustomize this file hides, if there is one."""
    from _frozen_importlib_external import PathFinder

    here = os.path.dirname(os.path.abspath(__file__))
    others = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    return PathFinder.find_spec("sitecustomize", others)


def _run_next():
    # As the import system would have done it; its errors are its own and Python reports them.
    spec = _next_on_path()
    if spec is None or spec.loader is None:
        return
    from _frozen_importlib import module_from_spec

    module = module_from_spec(spec)
    mine = sys.modules.get("sitecustomize")
    sys.modules["sitecustomize"] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if mine is not None:
            sys.modules["sitecustomize"] = mine
        raise


try:
    _start()
except Exception:  # a probe that cannot start is a missing probe, nothing more
    pass
_run_next()
