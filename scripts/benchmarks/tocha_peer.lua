--- Tocha's half of the benchmarks: reads "threads name" lines and answers with seconds a call, or "absent".
local tocha = require "tocha"
local nn = require "nn"
local optim = require "optim"

package.path = arg[0]:gsub("[^/]*$", "?.lua;") .. package.path
local ops = require "tocha_ops"

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

--- What "name" or "op INDEX N LAYOUT" asks for, as a function of a count; nil where Tocha lacks it.
local function prepare(name)
    local index, n, layout = name:match "^op (%d+) (%d+) (%a+)$"
    if index then
        return ops.prepare(tonumber(index), math.tointeger(tonumber(n)), layout)
    end
    return benches[name]()
end

--- Seconds a call of f: the best of some rounds of about span seconds.
local function measure(f, rounds, span)
    local function seconds(n)
        local start = tocha.clock()
        f(n)
        return tocha.clock() - start
    end
    f(2)
    local n, took = 1, seconds(1)
    while took < span and n < 1 << 20 do
        n = n * math.max(2, math.min(16, span // math.max(took, 1e-9)))
        n = math.tointeger(n)
        took = seconds(n)
    end
    local best = took / n
    for _ = 1, rounds do
        best = math.min(best, seconds(n) / n)
    end
    return best
end

local function answer(line)
    local threads, name = line:match "^(%d+) (.+)$"
    tocha.set_num_threads(tonumber(threads))
    local op = name:match "^op "
    if not prepared[name] then
        prepared = op and {} or prepared
        prepared[name] = prepare(name)
        collectgarbage()
    end
    if not prepared[name] then
        return "absent"
    end
    return ("%.9g"):format(measure(prepared[name], op and 3 or 6, op and 0.008 or 0.05))
end

for line in io.lines() do
    local ok, text = pcall(answer, line)
    io.write(ok and text or "error: " .. tostring(text):gsub("\n.*", ""), "\n")
    io.flush()
end
