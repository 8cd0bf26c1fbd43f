"""The two processes that are compared, and how a pair of times is printed."""

import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Peer:
    """One of the two processes; it lives through all rounds."""

    def __init__(self, command, threads):
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), TOCHA_NUM_THREADS=str(threads))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def measure(self, threads, name):
        """Seconds a call, or what the peer says where there are none: "absent", or an error."""
        self.process.stdin.write(f"{threads} {name}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            sys.exit(f"bench: a peer ended while it measured {name}")
        time.sleep(0.02 if threads == 1 else 0.05)  # lets threads that spin for more work fall asleep
        return answer if answer.startswith(("absent", "error")) else float(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def seconds(t):
    for unit, scale in (("s ", 1), ("ms", 1e3), ("us", 1e6)):
        if t * scale >= 1:
            return f"{t * scale:8.2f} {unit}"
    return f"{t * 1e9:8.1f} ns"


def start_peers(binary, threads):
    return (Peer([binary, os.path.join(HERE, "tocha_peer.lua")], threads),
            Peer([sys.executable, os.path.join(HERE, "torch_peer.py")], threads))


def report(what, threads, ours, theirs, bound):
    """Prints a line; returns the ratio."""
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    verdict = "ok" if ratio <= bound else "ABOVE"
    print(f"{what:62} {threads}t {seconds(min(ours))} {seconds(min(theirs))}  {ratio:6.3f}  (<= {bound:g}) {verdict}",
          flush=True)
    return ratio
