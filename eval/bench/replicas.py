"""The load on an installation: two replicas behind nginx with TLS, PostgreSQL, a Chroma server; one replica.

People log in and ask through nginx, in conversations of their own, as `eval.bench.installation` runs it.
The rounds alternate between two replicas and one (the other is stopped, nginx passes it over), in one run.
On a computer with two cores all of it shares them, so two replicas cannot answer more than one there; what is
seen is what the parts in between cost, and that nothing fails.

    python -m eval.bench.replicas [seconds] [users] [rounds]
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from eval.bench.crowd import MemoryWatch, Person, Seen, alone, crowd, line
from eval.bench.installation import PASSWORD, Installation, installed
from eval.bench.web import ALONE, QUESTIONS


def main(seconds: float = 30, users: int = 20, rounds: int = 2) -> None:
    """Run the installation, let people ask, print what they saw."""
    with tempfile.TemporaryDirectory() as folder, installed(Path(folder)) as site:
        with site.assistant() as assistant:
            for number in range(users):
                assistant.records.accounts.add(f"老师{number}", PASSWORD)
        print(line("one person alone, through nginx", alone(_arrive(site, 0), QUESTIONS, ALONE)), flush=True)
        two, one = Seen(), Seen()
        watches = [MemoryWatch(replica.pid) for replica in site.replicas]
        for _ in range(rounds):
            two.add(crowd(lambda n: _arrive(site, n), QUESTIONS, users=users, seconds=seconds))
            site.replicas[1].stop()
            one.add(crowd(lambda n: _arrive(site, n), QUESTIONS, users=users, seconds=seconds))
            site.replicas[1].start().ready()
        for watch in watches:
            watch.stop()
        load = f", load {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
        print(f"{users} people, {rounds} rounds of {seconds:.0f} s each{load}")
        print(line("two replicas", two))
        print(line("one replica", one))
        first, middle, last = watches[0].thirds()
        print(f"memory of the replica that stays: {first:.0f} MB, {middle:.0f} MB, {last:.0f} MB")
        for error in dict.fromkeys(two.errors + one.errors):
            print(f"error: {error}")


def _arrive(site: Installation, number: int) -> Person:
    return Person(site.address, name=f"老师{number}", password=PASSWORD, trust=site.trust)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
