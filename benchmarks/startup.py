"""How long until the package is imported and help is shown?"""

import subprocess
import sys
import time

HEAVY = ("torch", "inspect_ai", "scipy.stats", "matplotlib")


def timed(command):
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        best = min(best, time.perf_counter() - start)
    return best


def run():
    bare = timed([sys.executable, "-c", "pass"])
    imported = timed([sys.executable, "-c", "import dokimasia"]) - bare
    loaded = subprocess.run(
        [sys.executable, "-c", f"import dokimasia, sys; print([m for m in {HEAVY} if m in sys.modules])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    shown = timed([sys.executable, "-m", "dokimasia", "--help"])
    yield (
        f"import dokimasia {imported:.3f} s (limit 0.3), heavy modules loaded {loaded}",
        imported < 0.3 and loaded == "[]",
    )
    yield f"--help {shown:.2f} s (limit 0.6)", shown < 0.6
