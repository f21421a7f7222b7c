"""The disk is full at every stage: one Chinese line, nothing acknowledged lost, and on it goes with room again.

On a small tmpfs where one can be mounted (root on Linux), else with a limit on the size of files.
"""

import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import fault_world as fw

from rag.errors import LingxueError

KINDS = ("put", "drop", "talk", "draft", "evaluate", "migrate")
FREE_KIB = (0, 4, 12, 40, 100, 180, 300, 450, 700, 1000, 1500, 2500)
SIZE_MIB = 24


def mounted(folder):
    """Mount a small tmpfs; return whether that worked."""
    folder.mkdir(parents=True, exist_ok=True)
    if not sys.platform.startswith("linux") or not shutil.which("mount"):
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def one_change(root, kind, seed, limit_kib, answer):
    """Make one change on a disk without room; send "done", or the error that says so."""
    fw.prepare()
    world, draw = fw.World(root), random.Random(seed)
    if limit_kib is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_kib * 1024, limit_kib * 1024))
    try:
        assistant = world.assistant()
        if kind == "migrate":
            assistant.ready()
        else:
            fw.change(world, assistant, kind, draw)
        answer.send("done")
    except LingxueError as err:
        answer.send(f"said: {err}")
    except OSError as err:  # the command line and the evaluation tell these in one line, too
        answer.send(f"said: {type(err).__name__} {err.strerror}")


def campaign(root, frees=FREE_KIB, kinds=KINDS, *, mount=True, report=print):
    """Run out of room at every point; return counts by (kind, how it came) and problems."""
    root = Path(root)
    small = mount and mounted(root)
    try:
        return _points(root, frees, kinds, small=small, report=report)
    finally:
        if small:
            subprocess.run(["umount", "-l", str(root)], check=False)


def _points(root, frees, kinds, *, small, report):
    context, counts, problems = fw.server(), Counter(), []
    how = "tmpfs" if small else "file size limit"
    for kind in kinds:
        shutil.rmtree(root / "w", ignore_errors=True)
        world = fw.World(root / "w")
        assistant = world.assistant()
        for turn in range(3):
            fw.change(world, assistant, "put", random.Random(turn))
        fw.change(world, assistant, "talk", random.Random(0))
        assistant.close()
        for number, free in enumerate(frees):
            if kind == "migrate":
                fw.first_release(world)
            filler = root / "filler"
            if small:
                filler.write_bytes(b"")
                room = shutil.disk_usage(root).free - free * 1024
                with filler.open("wb") as file:
                    file.write(bytes(max(0, room)))
            limit = None if small else 16 + 4 * free
            result, code = fw.apart(context, one_change, str(world.root), kind, number, limit)
            filler.unlink(missing_ok=True)
            if result is None:
                problems.append(f"{kind}, {free} KiB free: the process ended with {code}")
            wrong, came = fw.verify(world)
            problems += [f"{kind}, {free} KiB free: {what}" for what in wrong]
            if came.startswith("said"):
                problems.append(f"{kind}, {free} KiB free, afterwards: {came}")
            counts[how, kind, str(result).split("：")[0][:60]] += 1
        report(f"full disk, {kind}: {len(problems)} problems", flush=True)
    return counts, problems
