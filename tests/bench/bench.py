#!/usr/bin/env python3
"""Figures of Hawser, some beside Redis on the same machine; written to docs/results/.

    bench.py [--only throughput,lag,reply,catch-up,load] [--rounds 5] [--requests 1000000]
             [--catch-up 500000] [--load 10000000] [--seconds 20] [--quick] [--no-file]
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import servers  # noqa: E402
from hawser_live import figures, keeper as keepers  # noqa: E402
from hawser_live.mesh import ROOT, program  # noqa: E402

MIB = 1 << 20


def say(text):
    print(text, flush=True)


def redis_benchmark(port, pipeline, requests, keys=1_000_000):
    """SETs per second of 128 bytes over 50 connections."""
    argv = ["redis-benchmark", "-p", str(port), "-t", "set", "-r", str(keys), "-d", "128", "-c", "50",
            "-P", str(pipeline), "-n", str(requests), "--csv"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=1800)
    found = re.search(r'^"SET","([\d.]+)"', done.stdout, re.MULTILINE)
    if done.returncode or not found:
        raise RuntimeError(f"redis-benchmark: {done.stdout[-500:]}{done.stderr[-500:]}")
    return float(found.group(1))


def probe(write_port, read_port, seconds, rate):
    done = subprocess.run([program("lag_probe"), str(write_port), str(read_port), str(seconds), str(rate)],
                          capture_output=True, text=True, timeout=seconds + 120)
    if done.returncode:
        raise RuntimeError(f"lag_probe: {done.stderr}")
    return json.loads(done.stdout)


def throughput(keeper, options):
    """Interleaved rounds; medians and the median of the ratios, at both pipeline depths."""
    mesh, redis = servers.hawser(keeper), servers.RedisPair(keeper)
    result = {}
    for pipeline, target, least in ((1, 1.0, 0.6), (16, 1.0, 0.85)):
        requests = options.requests if pipeline > 1 else options.requests // 4
        ours, theirs = [], []
        redis_benchmark(mesh.regions[0].redis_port, pipeline, requests // 5)
        redis_benchmark(redis.ports[0], pipeline, requests // 5)
        for number in range(options.rounds):
            for side in (("hawser", "redis") if number % 2 == 0 else ("redis", "hawser")):
                if side == "hawser":
                    ours.append(redis_benchmark(mesh.regions[0].redis_port, pipeline, requests))
                    mesh.wait_converged(300)
                else:
                    theirs.append(redis_benchmark(redis.ports[0], pipeline, requests))
                    redis.settle()
        ratio = figures.median([a / b for a, b in zip(ours, theirs)])
        result[f"P{pipeline}"] = {
            "hawser_per_s": figures.median(ours), "redis_per_s": figures.median(theirs), "ratio": ratio,
            "target": target, "not_under": least, "rounds": options.rounds, "requests": requests,
            "hawser_all": ours, "redis_all": theirs,
        }
        say(f"throughput -P {pipeline}: Hawser {figures.median(ours) / 1000:.1f} k/s, Redis with a replica "
            f"{figures.median(theirs) / 1000:.1f} k/s, median ratio {ratio:.2f} (target {target}, not under {least})")
    return result


def lag(keeper, options):
    """Sent -> readable in the other region, idle and under load; the same for Redis."""
    mesh, redis = servers.hawser(keeper), servers.RedisPair(keeper)
    result = {}
    for name, rate in (("idle", 0), ("at 20 k/s", 20_000)):
        runs = {"hawser": [], "redis": []}
        for _ in range(3):
            runs["hawser"].append(probe(mesh.regions[0].redis_port, mesh.regions[1].redis_port, options.seconds / 3, rate))
            runs["redis"].append(probe(redis.ports[0], redis.ports[1], options.seconds / 3, rate))
        result[name] = {}
        for side, all_runs in runs.items():
            middle = {k: figures.median([run[k] for run in all_runs]) for k in all_runs[0]}
            result[name][side] = middle
            say(f"sent -> readable, {name}, {side}: p50 {middle['p50_ms']:.2f} ms, p99 {middle['p99_ms']:.2f}, "
                f"p99.9 {middle['p999_ms']:.2f} (load reached {middle['rate'] / 1000:.1f} k/s)")
    result["targets"] = "idle p50 <= 0.55 ms; at 20 k/s p50 <= 0.85 and p99.9 <= 6 ms"
    return result


def reply(keeper, options):
    """One connection, one write at a time: the durable reply."""
    mesh, redis = servers.hawser(keeper), servers.RedisPair(keeper)
    result = {"target": "p50 <= 0.40 ms"}
    for side, port in (("hawser", mesh.regions[0].redis_port), ("redis", redis.ports[0])):
        runs = [probe(port, 0, options.seconds / 4, 0) for _ in range(3)]
        result[side] = {k: figures.median([run[k] for run in runs]) for k in runs[0]}
        say(f"durable reply, one connection, {side}: p50 {result[side]['p50_ms']:.3f} ms, p99 {result[side]['p99_ms']:.3f}")
    return result


def catch_up(keeper, options):
    """A region that was down comes back; changes per second until it has all."""
    mesh = servers.hawser(keeper, settings={"storage": {"journal_max": "16GiB"}})
    here, there = mesh.regions
    there.stop()
    redis_benchmark(here.redis_port, 16, options.catch_up)
    there.start()
    begun = time.monotonic()
    deadline = begun + 600
    while here.cut() != there.cut():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not caught up after 600 s: {here.cut()} {there.cut()}")
        time.sleep(0.02)
    took = time.monotonic() - begun
    say(f"catch-up of {options.catch_up} changes: {took:.2f} s from ready, {options.catch_up / took / 1000:.0f} k/s (target 250)")
    return {"changes": options.catch_up, "seconds": took, "changes_per_s": options.catch_up / took, "target": 250_000}


def load(keeper, options):
    """Memory while many keys are loaded, with two sizes of the memtable."""
    result = []
    for memtable in (256, 64):
        mesh = servers.hawser(keeper, settings={"storage": {"memtable_max": f"{memtable}MiB"}})
        process = subprocess.Popen(
            ["redis-benchmark", "-p", str(mesh.regions[0].redis_port), "-r", str(options.load), "-n", str(options.load),
             "-d", "128", "-c", "50", "-P", "32", "-q", "SET", "key:__rand_int__", "v" * 128],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peaks = [0, 0]
        while process.poll() is None:
            peaks = [max(p, r.rss_anon_bytes()) for p, r in zip(peaks, mesh.regions)]
            time.sleep(0.2)
        bound = (memtable + 128) * MIB
        say(f"load of {options.load} writes, memtable_max {memtable} MiB: RssAnon at most "
            f"{peaks[0] / MIB:.0f} MiB here, {peaks[1] / MIB:.0f} in the peer (target {memtable + 128})")
        result.append({"writes": options.load, "memtable_mib": memtable, "rss_anon": peaks, "bound": bound,
                       "within": max(peaks) <= bound})
        mesh.close()
    return result


PARTS = {"throughput": throughput, "lag": lag, "reply": reply, "catch-up": catch_up, "load": load}


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((l.split(":")[1].strip() for l in file if l.startswith("model name")), "unknown")
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) // 1024 // 1024
    return f"{os.cpu_count()} cores ({model}), {memory} GiB, Linux {os.uname().release}"


def commit():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12"],
                          capture_output=True, text=True)
    if done.returncode == 0:
        return done.stdout.strip()
    try:
        with open(os.path.join(ROOT, ".commit")) as file:
            return file.read().strip()
    except FileNotFoundError:
        return "unknown"


def write_files(lines, result):
    name = os.path.join(ROOT, "docs", "results", f"{result['day']}-bench")
    with open(name + ".json", "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    with open(name + ".md", "w") as file:
        file.write(f"# Bench of {result['day']}\n\nCommit {result['commit']}; {result['machine']}; load average "
                   f"{result['load_average']:.1f} before. Two regions over one nats-server; Redis 7 with `appendfsync "
                   "always` and one replica of the same setting.\n\n")
        file.write("".join(f"- {line}\n" for line in lines))
    say(f"written to {os.path.relpath(name, ROOT)}.md and .json")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--catch-up", type=int, default=500_000)
    parser.add_argument("--load", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--quick", action="store_true", help="a hundredth of it: does it run at all?")
    parser.add_argument("--no-file", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 3
        options.requests, options.catch_up, options.load = 40_000, 20_000, 100_000
    result = {"day": datetime.date.today().isoformat(), "commit": commit(), "machine": machine(),
              "load_average": os.getloadavg()[0]}
    say(f"commit {result['commit']}; {result['machine']}; load average {result['load_average']:.1f}")
    lines, plain_say = [], say
    failed = 0

    def both(text):
        lines.append(text)
        plain_say(text)

    globals()["say"] = both
    for part in options.only.split(","):
        keeper = keepers.Keeper()
        try:
            result[part] = PARTS[part](keeper, options)
        except Exception as error:
            failed += 1
            both(f"{part}: could not be measured: {type(error).__name__}: {error}")
            result[part] = {"error": str(error)}
        finally:
            keeper.end_all()
    globals()["say"] = plain_say
    if not options.no_file and not options.quick:
        write_files(lines, result)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
