--- Tocha's half of the GPU benchmarks: prints "name seconds" lines. With TOCHA_BENCH_SMALL=1 sizes are such that the
--- stand-in of tests/hostgpu can run them; its times mean nothing.
local tocha = require "tocha"
local nn = require "nn"
local optim = require "optim"

local cuda = tocha.cuda
local available, why = cuda.is_available()
if not available then
    print("none " .. why)
    os.exit(0)
end

local small = os.getenv("TOCHA_BENCH_SMALL") == "1"
local floats = small and 1 << 10 or 64 << 20 -- 256 MiB
local on = {device = "cuda"}

--- Seconds a call of f takes, the best of some rounds; waits: with the work that it has queued on the device.
local function measure(f, count, waits)
    count = small and 2 or count
    local best = math.huge
    for _ = 1, small and 1 or 7 do
        cuda.synchronize()
        local start = tocha.clock()
        for _ = 1, count do
            f()
        end
        if waits then
            cuda.synchronize()
        end
        best = math.min(best, (tocha.clock() - start) / count)
    end
    cuda.synchronize()
    return best
end

local function time(f, count)
    return measure(f, count, true)
end

local function submit(f)
    return measure(f, 500, false)
end

local benches = {}

function benches.submit()
    local a, b = tocha.ones(4, on), tocha.ones(4, on)
    return submit(function() local _ <close> = a + b end)
end

function benches.submit_grad()
    local a, b = tocha.ones(4, on):requires_grad_(), tocha.ones(4, on)
    return submit(function() local _ <close> = a + b end)
end

function benches.graph_node()
    local x = tocha.ones(4, on)
    local g = cuda.graph(function()
        for _ = 1, 100 do
            x:add_(1)
        end
    end)
    return time(function() g:replay() end, 50) / g:size()
end

function benches.copy()
    local x, y = tocha.ones(floats, on), tocha.empty(floats, on)
    return time(function() y:copy_(x) end, 20)
end

function benches.elementwise()
    local x, y = tocha.ones(floats, on), tocha.empty(floats, on)
    return time(function() y:copy_(x):mul_(2) end, 20)
end

function benches.reduction()
    local x = tocha.ones(floats, on)
    return time(function() local _ <close> = x:sum() end, 20)
end

function benches.softmax()
    local x = tocha.ones(floats // 64, 64, on):view(-1, small and 64 or 1024)
    return time(function() local _ <close> = x:softmax(2) end, 20)
end

function benches.layer_norm()
    local width = small and 64 or 1024
    local x, w, b = tocha.ones(floats // width, width, on), tocha.ones(width, on), tocha.zeros(width, on)
    return time(function() local _ <close> = tocha.layer_norm(x, {width}, w, b) end, 20)
end

local function product(size)
    return function()
        size = small and 16 or size
        local a = tocha.ones(size, size, on):to("bfloat16")
        return time(function() local _ <close> = a:mm(a) end, 20)
    end
end
benches.mm4096, benches.mm8192 = product(4096), product(8192)

--- A step of the CNN that scripts/train_digits.lua trains on MNIST, batch 64.
local function mnist_step()
    local net = nn.Sequential(
        nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 10)):to("cuda")
    local batch = small and 2 or 64
    local x, y = tocha.ones(batch, 1, 28, 28, on), tocha.ones(batch, {dtype = "int64", device = "cuda"})
    local criterion, optimizer = nn.CrossEntropyLoss(), optim.SGD(net:parameters(), {lr = 0.01, momentum = 0.9})
    return function()
        optimizer:zero_grad()
        local loss = criterion(net(x), y)
        loss:backward()
        optimizer:step()
        return loss
    end
end

function benches.mnist()
    local step = mnist_step()
    step()
    return time(step, 20)
end

function benches.mnist_graph()
    local step = mnist_step()
    for _ = 1, 3 do
        step()
    end
    local g = cuda.graph(step)
    return time(function() g:replay() end, 20)
end

print("device " .. cuda.get_device_name())
for _, name in ipairs {"copy", "submit", "submit_grad", "graph_node", "elementwise", "reduction", "softmax",
    "layer_norm", "mm4096", "mm8192", "mnist", "mnist_graph"} do
    local ok, seconds = pcall(benches[name])
    print(name .. " " .. (ok and ("%.9g"):format(seconds) or "error: " .. tostring(seconds):gsub("\n.*", "")))
    collectgarbage()
end
