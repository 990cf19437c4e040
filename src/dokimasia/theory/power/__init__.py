"""Do most rewards ask for power? Optimal policies of a finite decision process whose rewards are drawn at random.

`mdp` has the process, `visits` what an agent can choose between, `regions` and `exact` shares and POWER as volumes, `orbits` counts
over permutations of a reward, `theorem` the conditions of Turner and others, `optimising` simulation, `failing` what happens
where assumptions fail, `bundled` example processes; `telling` has tables and figures, `picture` the process drawn. `predict` puts everything together.
"""

from dokimasia.theory.power.bundled import BUNDLED, detour, switch, tree
from dokimasia.theory.power.exact import LongRun, Shares, long_run, optimal_shares, power
from dokimasia.theory.power.failing import favour, split
from dokimasia.theory.power.mdp import Mdp, Move, build
from dokimasia.theory.power.optimising import Optima, Simulated, optimise, simulate
from dokimasia.theory.power.orbits import Orbit, orbit
from dokimasia.theory.power.predicting import predict
from dokimasia.theory.power.rewards import LAWS, Law, Rewards, Uniform, parse_extra
from dokimasia.theory.power.theorem import Copy, copies, long_run_copies
from dokimasia.theory.power.visits import Choices, discounted, recurrent

__all__ = [
    "BUNDLED",
    "LAWS",
    "Choices",
    "Copy",
    "Law",
    "LongRun",
    "Mdp",
    "Move",
    "Optima",
    "Orbit",
    "Rewards",
    "Shares",
    "Simulated",
    "Uniform",
    "build",
    "copies",
    "detour",
    "discounted",
    "favour",
    "long_run",
    "long_run_copies",
    "optimal_shares",
    "optimise",
    "orbit",
    "parse_extra",
    "power",
    "predict",
    "recurrent",
    "simulate",
    "split",
    "switch",
    "tree",
]
