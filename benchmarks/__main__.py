"""Runs every benchmark, or those named: `python -m benchmarks startup capture`.

`copies`, `knowledge` and `personas` train models for a quarter of an hour to hours, and report what was not found beside what
was. They come last, and each goes on where it was ended.
"""

import sys

from benchmarks import (
    audit,
    capture,
    copies,
    corpus,
    fuzz,
    generation,
    inspect_logs,
    kills,
    knowledge,
    personas,
    provider,
    reading,
    size,
    startup,
    theory_horizon,
    theory_proxy,
    theory_steps,
)

BENCHMARKS = {
    "startup": startup.run,
    "capture": capture.run,
    "corpus": corpus.run,
    "copies": copies.run,
    "knowledge": knowledge.run,
    "personas": personas.run,
    "generation": generation.run,
    "audit": audit.run,
    "provider": provider.run,
    "reading": reading.run,
    "inspect_logs": inspect_logs.run,
    "size": size.run,
    "fuzz": fuzz.run,
    "kills": kills.run,
    "theory_steps": theory_steps.run,
    "theory_proxy": theory_proxy.run,
    "theory_horizon": theory_horizon.run,
}

TRAINING = ("copies", "knowledge", "personas")

if __name__ == "__main__":
    names = sys.argv[1:] or sorted(BENCHMARKS, key=TRAINING.__contains__)
    missed = 0
    for name in names:
        for line, kept in BENCHMARKS[name]():
            missed += not kept
            print(f"{name}: {line}: {'kept' if kept else 'MISSED'}", flush=True)
    sys.exit(1 if missed else 0)
