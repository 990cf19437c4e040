"""`proxy` on two files of the published rewards' size: processor seconds, and as a ratio to sorting as many resamples."""

import tempfile
import time
from pathlib import Path

import numpy as np

from dokimasia.study.proxy import proxy

SIZES = (16_000, 30_000)
SECONDS = 30.0
RESAMPLES = 1000
PUBLISHED = Path(__file__).parents[2] / "shared" / "data" / "goodhart"
NAMES = ("llama_starling_reward_values.npy", "random_starling_reward_values.npy")


def files(folder):
    """The published files where they lie beside the project; otherwise scores with a light and a heavy tail."""
    if all((PUBLISHED / name).is_file() for name in NAMES):
        return [PUBLISHED / name for name in NAMES]
    rng = np.random.default_rng(0)
    made = [folder / name for name in NAMES]
    np.save(made[0], rng.standard_normal(SIZES[0]))
    np.save(made[1], rng.standard_t(3, SIZES[1]))
    return made


def run():
    with tempfile.TemporaryDirectory() as folder:
        paths = files(Path(folder))
        begun = time.process_time()
        said = [proxy(path).raw["tails"][0]["verdict"] for path in paths]
        ours = time.process_time() - begun
        begun = time.process_time()
        rng = np.random.default_rng(1)
        for size in SIZES:
            for _ in range(RESAMPLES):
                np.sort(rng.random(size))
        sorting = time.process_time() - begun
    yield (
        f"{ours:.1f} processor seconds for two files ({', '.join(said)}), {ours / sorting:.1f} times those of sorting {RESAMPLES:,} "
        f"resamples of each (limit: {SECONDS:.0f} s)",
        ours <= SECONDS,
    )
