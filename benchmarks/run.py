"""`make bench`: what byrote's own parts cost, beside a plain version in the same run.

Prints a table and writes it to benchmarks/latest.json, ratios under "ratios". Every part runs in a
process of its own, so that its peak memory is its own.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path

from byrote.runs.determinism import environment

HERE = Path(__file__).parent
PARTS = (
    "scores_at_size", "commands_at_size", "overhead", "skew_normal", "enumeration", "privacy",
    "vae", "flows", "diffusion", "texts_per_second",
)  # fmt: skip


def run(part: str) -> dict:
    """One part in a fresh process; its last line is a JSON object."""
    done = subprocess.run(
        [sys.executable, str(HERE / f"{part}.py")], stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"\n{part}")
    for name, value in found["rows"].items():
        print(f"  {name:<66} {value:>12,.3f}")
    return found


def main() -> None:
    results = {part: run(part) for part in PARTS}
    ratios = {name: value for found in results.values() for name, value in found["ratios"].items()}
    rows = {part: found["rows"] for part, found in results.items()}
    machine = environment()  # what the times depend on: processor and versions
    print("\nratios to the plain version")
    for name, value in ratios.items():
        print(f"  {name:<66} {value:>12,.1f}")
    latest = {"machine": machine, "ratios": ratios, "rows": rows}
    (HERE / "latest.json").write_text(json.dumps(latest, indent=2) + "\n")


def peak_gb() -> float:
    """Peak memory of this process and its children."""
    used = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return used / 1e6


def report(rows: dict, ratios: dict) -> None:
    """Hand results to the process that started this one."""
    print(json.dumps({"rows": rows, "ratios": ratios}))


if __name__ == "__main__":
    main()
