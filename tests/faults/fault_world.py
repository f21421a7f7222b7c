"""The world the faults happen in: a data directory, a journal of what was acknowledged, and its check.

Loaded once by a fork server (`preload`), so that a process to be killed starts in milliseconds. Files are
parsed in the process itself; everything else is the product: SQLite, Chroma, the bundled encoder.
"""

import json
import multiprocessing
import os
import random
import time
from pathlib import Path

from rag.offline import stay_offline

stay_offline()

import chromadb  # noqa: E402, F401 - what takes long is loaded before the fork

import rag.assistant  # noqa: E402
import rag.records.records  # noqa: E402
from rag import ingest  # noqa: E402
from rag.config import Settings  # noqa: E402
from rag.database import Database  # noqa: E402
from rag.embed import load_encoder  # noqa: E402
from rag.errors import BadRequest, LingxueError  # noqa: E402
from rag.migrations import MIGRATIONS  # noqa: E402
from rag.parsers import parse_file  # noqa: E402
from rag.types import Answer, DraftRequest, Outline, OutlineSection  # noqa: E402

ENCODER = load_encoder("")
OWNER = ""


class InProcess:
    """Stands for the parser process: the same parser, without a process of its own."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def parse(self, path):
        return parse_file(path)


def prepare():
    """Put the loaded encoder and the in-process parser in place."""
    ingest.ParserProcess = InProcess
    rag.assistant.load_encoder = lambda _: ENCODER


def text_of(name, version):
    """A document of its own words: what is asked of it can only be found in it."""
    return "".join(
        f"第{'一二三四五六七八'[n]}条 {name}编号{version * 8 + n}的事项由第{version * 8 + n}办公室负责办理。\n"
        for n in range(8)
    )


class World:
    """A data directory, a knowledge folder, and beside them the journal of begun and finished changes."""

    def __init__(self, root):
        self.root = Path(root)
        self.data, self.folder = self.root / "data", self.root / "knowledge"
        self.journal = self.root / "journal.jsonl"
        self.folder.mkdir(parents=True, exist_ok=True)

    def assistant(self):
        return rag.assistant.Assistant(
            Settings(data_dir=self.data, knowledge_dir=self.folder, llm="off", encoder="")
        )

    def note(self, **entry):
        """Write an entry of the journal; on the disk when this returns."""
        with self.journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def entries(self):
        if not self.journal.exists():
            return []
        return [json.loads(line) for line in self.journal.read_text(encoding="utf-8").splitlines()]

    def known(self):
        """Return {name: the versions it may have}; version 0 is gone. One version: acknowledged and settled."""
        known = {}
        for entry in self.entries():
            if entry["kind"] not in ("put", "drop"):
                continue
            version = entry.get("version", 0)
            if entry["done"]:
                known[entry["name"]] = [version]
            else:
                known.setdefault(entry["name"], [0]).append(version)
        return known


def change(world, assistant, kind, draw):
    """Make one change; it is in the journal before and after."""
    entries = world.entries()
    if kind == "put":
        name = f"资料{draw.randrange(8)}.txt"
        version = 1 + sum(1 for e in entries if e.get("name") == name and not e["done"])
        world.note(kind=kind, name=name, version=version, done=False)
        path = world.root / name
        path.write_text(text_of(name[:-4], version), encoding="utf-8")
        report = assistant.index([path])
        if any(file.outcome == "失败" for file in report.files):
            raise OSError(report.files[0].detail)
        world.note(kind=kind, name=name, version=version, done=True)
    elif kind == "drop":
        stamps = [s for s in assistant.stamps() if s.origin == ingest.ADDED]
        if not stamps:
            return
        stamp = draw.choice(stamps)
        world.note(kind=kind, name=stamp.name, done=False)
        assistant.store.delete([stamp.id])
        assistant.refresh()
        world.note(kind=kind, name=stamp.name, done=True)
    elif kind == "talk":
        said, kept = f"问题{len(entries)}", assistant.records.conversations
        world.note(kind=kind, text=said, done=False)
        asked = kept.ask(OWNER, "", said)
        world.note(kind=kind, text=said, done=True)
        kept.reply(OWNER, asked.id, "answer", answer=Answer(said, said, "answered", f"答{said}"))
        world.note(kind="answer", id=asked.id, text=f"答{said}", done=True)
    elif kind == "draft":
        known = [e["id"] for e in entries if e["kind"] == "draft" and e["done"]]
        draft_id = draw.choice(["", *known[-5:]])
        outline = Outline("心得体会", "校长", "主题", f"提纲{len(entries)}", "", (OutlineSection("一", ()),))
        world.note(kind=kind, id=draft_id, title=outline.title, done=False)
        request = DraftRequest(outline.genre, outline.topic)
        text = (("一", ("写好的一段。" * 200,)),)
        draft_id = assistant.records.drafts.keep(OWNER, draft_id, request, outline, text)
        world.note(kind=kind, id=draft_id, title=outline.title, done=True)
    elif kind == "evaluate" and assistant.stamps():
        evaluate(world, assistant, f"e{len(entries)}")


def evaluate(world, assistant, name):
    """Ask two cases, each kept in an evaluation's journal; what is kept is acknowledged."""
    from eval.cases import load_cases
    from eval.journal import Journal
    from eval.run import Outcome

    path = world.root / f"{name}.jsonl"
    case = {"kind": "factoid", "answer_points": ["办公室"], "gold_quotes": [], "answerable": True}
    lines = [json.dumps({"id": str(n), "question": f"编号{n}的事项由谁负责？", **case}) for n in range(3)]
    path.write_text("\n".join(lines), encoding="utf-8")
    cases = load_cases([path])
    with Journal(world.root / f"{name}.journal", {"v": 1}) as journal:
        for case in cases:
            answer = assistant.answer(case.question)
            journal.add(Outcome(case, "done", answer, "", 1))
            world.note(kind="case", name=name, id=case.id, done=True)


def first_release(world):
    """Turn the closed database back into one of the first release, as if it had never been migrated."""
    path = world.data / "lingxue.db"
    old = world.root / "old.db"
    old.unlink(missing_ok=True)
    database = Database(old, MIGRATIONS[:1])
    database._db.execute("ATTACH DATABASE ? AS new", (str(path),))
    names = "id, name, origin, stamp, original, clean, runs, repairs, sections, metadata, signature"
    with database.transaction() as db:
        db.execute(f"INSERT INTO sources SELECT {names} FROM new.sources WHERE NOT retired")
        ids = "(SELECT id FROM sources)"
        db.execute(f"INSERT INTO chunks SELECT * FROM new.chunks WHERE source_id IN {ids}")
        db.execute("INSERT INTO vectors SELECT * FROM new.vectors WHERE chunk_id IN (SELECT id FROM chunks)")
        db.execute("INSERT OR REPLACE INTO meta SELECT * FROM new.meta WHERE key = 'knowledge_dir'")
    database._db.execute("DETACH DATABASE new")
    database.close()
    old.replace(path)  # at once: the campaign itself must lose nothing


def work(root, kinds, seed, started):
    """Be the process that is killed: change after change, until the end comes."""
    prepare()
    world, draw = World(root), random.Random(seed)
    started.set()
    assistant = world.assistant()
    while True:
        change(world, assistant, draw.choice(kinds), draw)
        if "migrate" in kinds:
            assistant.close()
            first_release(world)
            assistant = world.assistant()
            assistant.ready()


def verify(world):
    """Open what is left, as the next start would; return what is wrong, nothing when all is well.

    Also returns how it came: "as it was", "rebuilt" or the error that says so.
    """
    problems, how = [], "as it was"
    assistant = world.assistant()
    try:
        if assistant.ready() is not None:
            how = "rebuilt"
        stamps = {s.name: s for s in assistant.stamps()}
        for name, versions in world.known().items():
            texts = {text_of(name[:-4], v) if v else None for v in versions}
            found = assistant.source(stamps[name].id).original if name in stamps else None
            if (found.rstrip() if found else found) not in {t.rstrip() if t else t for t in texts}:
                problems.append(f"lost: {name} {versions}")
            elif found and not _findable(assistant, name, found):
                problems.append(f"not found: {name}")
        if not assistant.search_index.fresh():
            problems.append("index not fresh")
        problems += _cases_lost(world)
        lost = _talk_lost(world, assistant) + _drafts_lost(world, assistant)
        if lost and assistant.store.meta("records_lost"):
            how = "said: records lost"
        else:
            problems += lost
    except LingxueError as err:
        how = f"said: {err}"
    finally:
        assistant.close()
    return problems, how


def _findable(assistant, name, found):
    number = found.split("编号")[1].split("的")[0]
    question = f"{name[:-4]}编号{number}的事项由谁负责？"
    return any(f"编号{number}的" in hit.chunk.text for hit in assistant.retriever.retrieve(question, k=8))


def _talk_lost(world, assistant):
    said = [e["text"] for e in world.entries() if e["kind"] == "talk" and e["done"]]
    if not said:
        return []
    listed = {heading.title for heading in assistant.records.conversations.listed(OWNER)}
    lost = [f"lost: conversation {text}" for text in said[-50:] if text not in listed]
    for entry in [e for e in world.entries() if e["kind"] == "answer"][-50:]:
        kept = assistant.records.conversations.get(OWNER, entry["id"])
        if kept is None or kept.messages[-1].text != entry["text"]:
            lost.append(f"lost: answer {entry['text']}")
    return lost


def _drafts_lost(world, assistant):
    """A draft has to be as it was last kept, or as a change that was begun would have left it."""
    may = {}
    for entry in world.entries():
        if entry["kind"] == "draft" and entry["done"]:
            may[entry["id"]] = {entry["title"]}
        elif entry["kind"] == "draft" and entry["id"]:
            may[entry["id"]].add(entry["title"])
    lost = []
    for draft_id, titles in list(may.items())[-50:]:
        try:
            kept = assistant.records.drafts.open(OWNER, draft_id)
        except BadRequest:
            lost.append(f"lost: draft {draft_id}")
            continue
        if kept.outline.title not in titles or not kept.text[0][1][0].startswith("写好的一段。"):
            lost.append(f"lost: draft {draft_id} is {kept.outline.title}, not of {titles}")
    return lost


def _cases_lost(world):
    lost = []
    for entry in world.entries():
        if entry["kind"] == "case":
            kept = (world.root / f"{entry['name']}.journal").read_text(encoding="utf-8")
            if f'"id": "{entry["id"]}"' not in kept:
                lost.append(f"lost: case {entry['name']} {entry['id']}")
    return lost


def verify_apart(root, answer):
    """`verify` in a process of its own, which a damaged file may end; the result goes through a pipe."""
    prepare()
    answer.send(verify(World(root)))


def apart(context, target, *arguments):
    """Run in a process of its own; return what it sends, or None and its exit code where it died."""
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, theirs))
    process.start()
    theirs.close()
    try:
        result = ours.recv() if ours.poll(600) else None
    except EOFError:
        result = None
    process.join(1)
    if process.is_alive():
        process.kill()
        process.join()
    return result, process.exitcode


def server():
    """Return the context of processes that start from here, everything loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fault_world"])
    return context


def wait(event, seconds=300.0):
    """Wait for a process's sign of life."""
    until = time.monotonic() + seconds
    while not event.is_set():
        if time.monotonic() > until:
            raise TimeoutError("the process did not start")
        time.sleep(0.005)


prepare()
