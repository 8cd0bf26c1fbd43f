--- Tocha's half of the benchmarks: reads "threads name" lines and answers with seconds a call.
local tocha = require "tocha"
local nn = require "nn"
local optim = require "optim"

local benches = {}

function benches.add4()
    local a, b = tocha.rand(4), tocha.rand(4)
    return function(n)
        for _ = 1, n do
            local _ = a + b
        end
    end
end

--- Twenty operators on one number, then backward.
function benches.chain20()
    local x = tocha.tensor(0.5, { requires_grad = true })
    return function(n)
        for _ = 1, n do
            local y = x
            for _ = 1, 10 do
                y = (y * x):tanh()
            end
            y:backward()
            x.grad = nil
        end
    end
end

--- Forward, backward and an optimiser step of net on a fixed batch.
local function training_step(net, optimizer, x, y)
    local criterion = nn.CrossEntropyLoss()
    return function(n)
        for _ = 1, n do
            optimizer:zero_grad()
            local loss = criterion(net(x), y)
            loss:backward()
            optimizer:step()
        end
    end
end

function benches.mlp()
    local net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    local x, y = tocha.rand(64, 784), tocha.randint(10, { 64 })
    return training_step(net, optim.Adam(net:parameters(), { lr = 1e-3 }), x, y)
end

function benches.lenet()
    local net = nn.Sequential(
        nn.Conv2d(1, 6, 5, { padding = 2 }), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
    local x, y = tocha.rand(64, 1, 28, 28), tocha.randint(10, { 64 })
    return training_step(net, optim.Adam(net:parameters(), { lr = 1e-3 }), x, y)
end

function benches.matmul1024()
    local a, b = tocha.rand(1024, 1024), tocha.rand(1024, 1024)
    return function(n)
        for _ = 1, n do
            local _ = a:matmul(b)
        end
    end
end

local prepared = {}

--- Seconds a call of f: the best of a few rounds that together take about half a second.
local function measure(f)
    local function seconds(n)
        local start = tocha.clock()
        f(n)
        return tocha.clock() - start
    end
    f(3)
    local n = 1
    while seconds(n) < 0.05 do
        n = n * 2
    end
    local best = math.huge
    for _ = 1, 6 do
        best = math.min(best, seconds(n) / n)
    end
    return best
end

for line in io.lines() do
    local threads, name = line:match("^(%d+) (%S+)$")
    tocha.set_num_threads(tonumber(threads))
    prepared[name] = prepared[name] or benches[name]()
    io.write(string.format("%.9g\n", measure(prepared[name])))
    io.flush()
end
