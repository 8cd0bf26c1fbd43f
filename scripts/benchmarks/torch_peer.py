"""PyTorch's half of the benchmarks: reads "threads name" lines and answers with seconds a call."""

import sys
import time

import torch
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


def measure(f):
    f(3)
    n = 1
    while True:
        start = time.perf_counter()
        f(n)
        elapsed = time.perf_counter() - start
        if elapsed > 0.05:
            break
        n *= 2
    best = elapsed / n
    for _ in range(5):
        start = time.perf_counter()
        f(n)
        best = min(best, (time.perf_counter() - start) / n)
    return best


def main():
    prepared = {}
    for line in sys.stdin:
        threads, name = line.split()
        torch.set_num_threads(int(threads))
        if name not in prepared:
            prepared[name] = globals()[name]()
        print(f"{measure(prepared[name]):.9g}", flush=True)


main()
