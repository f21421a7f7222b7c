"""Every file of a data directory cut, flipped, emptied, removed: the next start is whole, rebuilds, or says so."""

import random
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import fault_world as fw

WAYS = ("cut", "flip", "empty", "remove")


def damage(path, way, seed=0):
    """Damage one file; flips go through the whole of it, one byte in every 997 or so."""
    content = bytearray(path.read_bytes())
    if way == "remove":
        path.unlink()
        return
    if way == "cut":
        content = content[: len(content) // 2]
    elif way == "empty":
        content = bytearray()
    else:
        draw = random.Random(seed)
        for _ in range(1 + len(content) // 997):
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def pristine(root):
    """Make a world with documents, a conversation, a write-ahead log and a sealed index."""
    world = fw.World(root)
    assistant = world.assistant()
    for turn in range(4):
        fw.change(world, assistant, "put", random.Random(turn))
    fw.change(world, assistant, "talk", random.Random(0))
    fw.change(world, assistant, "draft", random.Random(0))
    assistant.close()
    again = world.assistant()
    again.ready()
    again.close()
    # As after a kill: the last change is in the write-ahead log only.
    log = sqlite3.connect(world.data / "lingxue.db", isolation_level=None)
    keeper = sqlite3.connect(world.data / "lingxue.db", isolation_level=None)
    keeper.execute("BEGIN").execute("SELECT count(*) FROM meta").fetchone()
    log.execute("INSERT INTO meta VALUES ('late', '1')")
    copy = Path(f"{root}-copy")
    shutil.copytree(root, copy)
    keeper.close()
    log.close()
    return copy


def kind_of(relative):
    """Name a file for the table: generations and Chroma's folders have names of their own."""
    parts = [p for p in relative.parts if not p.startswith("gen-")]
    if "chroma" in parts:
        return f"chroma/{parts[-1]}"
    return "/".join(parts)


def campaign(root, files=None, report=print):
    """Damage every file in every way; return counts by (file, way, how it came) and problems."""
    copy, context = pristine(root), fw.server()
    counts, problems = Counter(), []
    data = copy / "data"
    found = sorted(p.relative_to(data) for p in data.rglob("*") if p.is_file() and p.suffix != ".lock")
    for relative in found:
        if files and kind_of(relative) not in files:
            continue
        for way in WAYS:
            if way != "remove" and not (data / relative).stat().st_size:
                continue
            broken = Path(root)  # where it was made: another place would be another knowledge folder
            shutil.rmtree(broken)
            shutil.copytree(copy, broken)
            damage(broken / "data" / relative, way)
            result, code = fw.apart(context, fw.verify_apart, str(broken))
            name = f"{kind_of(relative)}, {way}"
            if result is None:
                problems.append(f"{name}: the process ended with {code}")
                counts[kind_of(relative), way, "died"] += 1
                continue
            wrong, how = result
            problems += [f"{name}: {what}" for what in wrong]
            counts[kind_of(relative), way, how.split("：")[0][:40]] += 1
        report(f"{kind_of(relative)} done, {len(problems)} problems", flush=True)
    return counts, problems
