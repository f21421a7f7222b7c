"""kill -9 at seeded moments: a process that changes things is ended, the next start must lose nothing."""

import random
import shutil
import time
from collections import Counter
from pathlib import Path

import fault_world as fw

KINDS = {
    "index": ["put"],
    "add": ["put", "talk"],
    "delete": ["put", "drop", "drop"],
    "migrate": ["migrate", "put", "talk"],
    "evaluate": ["evaluate"],
    "write": ["draft", "talk"],
}
WORLD_LASTS = 10  # kills before a fresh data directory


def campaign(root, kills, seed=0, report=print):
    """Kill `kills` processes; return counts by kind and the problems found."""
    context = fw.server()
    draw = random.Random(seed)
    counts, problems, world = Counter(), [], None
    kinds = list(KINDS)
    for number in range(kills):
        kind = kinds[number % len(kinds)]
        if number % WORLD_LASTS == 0:
            if world:
                shutil.rmtree(world.root)
            world = fw.World(Path(root) / f"world-{number}")
            assistant = world.assistant()
            for turn in range(3):
                fw.change(world, assistant, "put", random.Random(turn))
            assistant.close()
        started = context.Event()
        choices = ["put", "talk"] if kind == "migrate" else KINDS[kind]
        if kind == "migrate":
            choices = [*choices, "migrate"]
        process = context.Process(target=fw.work, args=(str(world.root), choices, number, started))
        process.start()
        fw.wait(started)
        time.sleep(draw.uniform(0.0, 1.5))
        alive = process.is_alive()
        process.kill()
        process.join()
        if not alive:
            problems.append(f"kill {number} ({kind}): the process ended by itself, {process.exitcode}")
        found, how = fw.verify(world)
        counts[kind, how] += 1
        problems += [f"kill {number} ({kind}): {what}" for what in found]
        if how.startswith("said"):
            problems.append(f"kill {number} ({kind}): {how}")
        if number % 10 == 9:
            so_far = Counter(how for _, how in counts.elements())
            report(f"{number + 1} kills, {len(problems)} problems, {dict(so_far)}", flush=True)
    return counts, problems
