"""PyTorch's half of the GPU benchmarks: prints "name seconds" lines."""

import time

import torch
from torch import nn

FLOATS = 64 << 20  # 256 MiB


def rounds(f, count, waits):
    best = float("inf")
    for _ in range(7):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(count):
            f()
        if waits:
            torch.cuda.synchronize()
        best = min(best, (time.perf_counter() - start) / count)
    torch.cuda.synchronize()
    return best


def timed(f, count):
    return rounds(f, count, waits=True)


def graph_of(f):
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            f()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        f()
    return graph


def submit():
    a, b = torch.ones(4, device="cuda"), torch.ones(4, device="cuda")
    return rounds(lambda: a + b, 500, waits=False)


def submit_grad():
    a, b = torch.ones(4, device="cuda", requires_grad=True), torch.ones(4, device="cuda")
    return rounds(lambda: a + b, 500, waits=False)


def graph_node():
    x = torch.ones(4, device="cuda")

    def adds():
        for _ in range(100):
            x.add_(1)

    return timed(graph_of(adds).replay, 50) / 100


def copy():
    x, y = torch.ones(FLOATS, device="cuda"), torch.empty(FLOATS, device="cuda")
    return timed(lambda: y.copy_(x), 20)


def elementwise():
    x, y = torch.ones(FLOATS, device="cuda"), torch.empty(FLOATS, device="cuda")
    return timed(lambda: y.copy_(x).mul_(2), 20)


def reduction():
    x = torch.ones(FLOATS, device="cuda")
    return timed(x.sum, 20)


def softmax():
    x = torch.ones(FLOATS // 1024, 1024, device="cuda")
    return timed(lambda: x.softmax(1), 20)


def layer_norm():
    x, w, b = (torch.ones(s, device="cuda") for s in ((FLOATS // 1024, 1024), 1024, 1024))
    return timed(lambda: nn.functional.layer_norm(x, (1024,), w, b), 20)


def product(size):
    a = torch.ones(size, size, device="cuda", dtype=torch.bfloat16)
    return timed(lambda: a.mm(a), 20)


def mnist_step():
    net = nn.Sequential(nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2),
                        nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 10)).cuda()
    x, y = torch.ones(64, 1, 28, 28, device="cuda"), torch.ones(64, dtype=torch.long, device="cuda")
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()

    return step


def main():
    if not torch.cuda.is_available():
        print("none this PyTorch finds no device")
        return
    benches = {
        "copy": copy, "submit": submit, "submit_grad": submit_grad, "graph_node": graph_node,
        "elementwise": elementwise, "reduction": reduction, "softmax": softmax, "layer_norm": layer_norm,
        "mm4096": lambda: product(4096), "mm8192": lambda: product(8192), "mnist": lambda: timed(mnist_step(), 20),
        "mnist_graph": lambda: timed(graph_of(mnist_step()).replay, 20),
    }
    for name, f in benches.items():
        print(f"{name} {f():.9g}", flush=True)


main()
