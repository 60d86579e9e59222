#!/usr/bin/env python3
"""SET throughput of this build beside another one's, two regions each, interleaved.

    versus.py OTHER_HAWSERD [--pipeline 16] [--rounds 7] [--requests 500000]

OTHER_HAWSERD: a hawserd built from another commit. Ends with 1 if ours is under 95 % of it.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench import redis_benchmark  # noqa: E402
from hawser_live import figures, keeper as keepers  # noqa: E402
from hawser_live.mesh import Mesh, program  # noqa: E402
from servers import WORK  # noqa: E402


def start(keeper, name, hawserd):
    mesh = Mesh(["us-east", "eu-west"], directory=os.path.join(WORK, name), keeper=keeper, wan=False,
                shared_nats=True)
    mesh.programs["hawserd"] = hawserd
    mesh.start()
    mesh.wait_connected()
    return mesh


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other")
    parser.add_argument("--pipeline", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=500_000)
    options = parser.parse_args()
    keeper = keepers.Keeper()
    try:
        sides = {"ours": start(keeper, "ours", program("hawserd")),
                 "other": start(keeper, "other", os.path.abspath(options.other))}
        rates = {name: [] for name in sides}
        for number in range(-1, options.rounds):  # the first only warms up
            for name in sorted(sides, reverse=number % 2 == 0):
                rate = redis_benchmark(sides[name].regions[0].redis_port, options.pipeline, options.requests)
                sides[name].wait_converged(300)
                if number >= 0:
                    rates[name].append(rate)
            if number >= 0:
                print(f"round {number + 1}: ours {rates['ours'][-1] / 1000:.1f} k/s, "
                      f"other {rates['other'][-1] / 1000:.1f} k/s", flush=True)
    finally:
        keeper.end_all()
    ratio = figures.median([a / b for a, b in zip(rates["ours"], rates["other"])])
    print(f"-P {options.pipeline}: ours {figures.median(rates['ours']) / 1000:.1f} k/s, other "
          f"{figures.median(rates['other']) / 1000:.1f} k/s, median ratio {ratio:.3f} (not under 0.95)")
    sys.exit(0 if ratio >= 0.95 else 1)


if __name__ == "__main__":
    main()
