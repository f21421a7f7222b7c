"""The whole fault campaign: `make faults`. Prints a table and, with --out, writes it as Markdown."""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]


def main():
    """Run the parts that are asked for; end with 1 where anything was lost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", nargs="*", default=["kills", "full", "corrupt"])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    import corruptions
    import full_disk
    import kills

    results, bad = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        for part in options.parts:
            started = time.monotonic()
            if part == "kills":
                counts, problems = kills.campaign(folder, options.kills, options.seed)
            elif part == "full":
                counts, problems = full_disk.campaign(Path(folder) / "full")
            else:
                counts, problems = corruptions.campaign(Path(folder) / "corrupt")
            results[part] = {
                "counts": {"; ".join(key): count for key, count in sorted(counts.items())},
                "problems": problems,
                "seconds": round(time.monotonic() - started),
            }
            print(json.dumps({part: results[part]}, ensure_ascii=False, indent=1), flush=True)
            bad += len(problems)
    if options.json:
        options.json.write_text(json.dumps(results, ensure_ascii=False, indent=1), encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
