"""PyTorch's half of the benchmarks: reads "threads name" lines and answers with seconds a call."""

import sys
import time

import torch
import torch_ops
from torch import nn


def add4():
    a, b = torch.rand(4), torch.rand(4)

    def run(n):
        for _ in range(n):
            a + b

    return run


def chain20():
    x = torch.tensor(0.5, requires_grad=True)

    def run(n):
        for _ in range(n):
            y = x
            for _ in range(10):
                y = (y * x).tanh()
            y.backward()
            x.grad = None

    return run


def training_step(net, x, y):
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()

    def run(n):
        for _ in range(n):
            optimizer.zero_grad()
            loss = criterion(net(x), y)
            loss.backward()
            optimizer.step()

    return run


def mlp():
    net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    return training_step(net, torch.rand(64, 784), torch.randint(10, (64,)))


def lenet():
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )
    return training_step(net, torch.rand(64, 1, 28, 28), torch.randint(10, (64,)))


def matmul1024():
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)

    def run(n):
        for _ in range(n):
            a @ b

    return run


def prepare(name):
    """What "name" or "op INDEX N LAYOUT" asks for, as a function of a count."""
    words = name.split()
    if words[0] == "op":
        return torch_ops.prepare(int(words[1]), int(words[2]), words[3])
    return globals()[name]()


def measure(f, rounds, span):
    """Seconds a call of f: the best of some rounds of about span seconds."""

    def seconds(n):
        start = time.perf_counter()
        f(n)
        return time.perf_counter() - start

    f(2)
    n, took = 1, seconds(1)
    while took < span and n < 1 << 20:
        n *= int(max(2, min(16, span // max(took, 1e-9))))
        took = seconds(n)
    return min([took / n] + [seconds(n) / n for _ in range(rounds)])


def answer(line, prepared):
    threads, name = line.strip().split(" ", 1)
    torch.set_num_threads(int(threads))
    op = name.startswith("op ")
    if name not in prepared:
        if op:
            prepared.clear()
        prepared[name] = prepare(name)
    return f"{measure(prepared[name], 3, 0.008) if op else measure(prepared[name], 6, 0.05):.9g}"


def main():
    prepared = {}
    for line in sys.stdin:
        try:
            text = answer(line, prepared)
        except Exception as error:
            text = "error: " + str(error).split("\n")[0]
        print(text, flush=True)


main()
