"""The command in a fork of the tests' process: a process of its own, without its imports."""

import os
import signal
import sys

from byrote.cli import main

ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU]


def forked(*words, folder, stdout="stdout", ignoring=(), run=main):
    """The command as a new process would begin it, without its imports; returns its number."""
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        os.chdir(folder)
        for number in ENDING:  # whatever a shell told tests in the background to ignore
            signal.signal(number, signal.SIG_IGN if number in ignoring else signal.SIG_DFL)
        for stream, path in ((1, stdout), (2, "stderr")):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        sys.stdout, sys.stderr = (open(stream, "w") for stream in (1, 2))  # noqa: SIM115
        sys.argv = ["byrote", *map(str, words)]
        run()
    except SystemExit as ended:
        code = ended.code
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def has_ended(child):
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def ended(child, folder):
    """Exit code, and standard error."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code, (folder / "stderr").read_text()
