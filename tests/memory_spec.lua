--- Memory: the collector's pressure, failing allocations, the limit, statistics, <close>.

local tocha = require "tocha"
local nn = require "nn"
local optim = require "optim"
local process = require "tests.support.process"

local quick = os.getenv("TOCHA_QUICK") == "1"
local long = os.getenv("TOCHA_LONG") == "1"
local sanitized = (os.getenv("LD_PRELOAD") or ""):find("libasan", 1, true) ~= nil

local function collect()
    collectgarbage()
    collectgarbage()
end

local function stats()
    collect()
    return tocha.memory_stats()
end

--- A line of /proc/self/status in MiB.
local function status(field)
    for line in io.lines("/proc/self/status") do
        local kib = line:match("^" .. field .. ":%s*(%d+) kB")
        if kib then
            return tonumber(kib) / 1024
        end
    end
    error("no " .. field .. " in /proc/self/status")
end

describe("the collector", function()
    --- The peak of resident memory, in MiB, of a process that runs code.
    local function peak_of(code)
        local text = process.run("", code .. [[

for line in io.lines("/proc/self/status") do
    local kib = line:match("^VmHWM:%s*(%d+)")
    if kib then print("peak " .. kib // 1024) end
end]])
        return assert(tonumber(text:match("peak (%d+)")), text)
    end

    local turns = long and 1000000 or quick and 2000 or 20000
    local limit = sanitized and 600 or 300

    it("works by generations", function()
        assert.equal("generational", collectgarbage("generational"))
    end)

    it("finds the memory of a temporary again at once", function()
        local text = process.run("", [[
local tocha = require "tocha"
local x = tocha.ones(512, 512)
collectgarbage()
local before = tocha.memory_stats()
tocha.reset_peak_memory_stats()
for i = 1, 100 do tocha.add(x, i) end
print((tocha.memory_stats().peak - before.live) // 2^20)]])
        assert.is_true(tonumber(text) <= 2, text)
    end)

    it("hears of gradients, and of what only a graph holds", function()
        local text = process.run("", [[
local tocha = require "tocha"
local x = tocha.randn(2048, 128):requires_grad_()
local y = tocha.randint(128, {2048})
collectgarbage()
local before = tocha.memory_stats()
tocha.reset_peak_memory_stats()
for i = 1, 200 do tocha.grad(tocha.cross_entropy(x, y), {x}) end
for i = 1, 200 do tocha.sum(tocha.exp(x)) end
for i = 1, 200 do tocha.layer_norm(x, {128}):logsumexp({1, 2}) end
print((tocha.memory_stats().peak - before.live) // 2^20)]])
        assert.is_true(tonumber(text) <= 24, text)
    end)

    it("frees what was old when it died as memory grows", function()
        local text = process.run("", [[
local tocha = require "tocha"
local old = {}
collectgarbage()
local before = tocha.memory_stats()
tocha.reset_peak_memory_stats()
for i = 1, 400 do
    old[i % 4] = tocha.ones(512, 512)
    for k = 1, 4 do tocha.add(old[i % 4], k) end
end
print((tocha.memory_stats().peak - before.live) // 2^20)]])
        assert.is_true(tonumber(text) <= 24, text)
    end)

    it("keeps a loop of 1 MB temporaries under 300 MB", function()
        local peak = peak_of(([[
local tocha = require "tocha"
local x = tocha.ones(512, 512)
for i = 1, %d do
    local y = x + i
end]]):format(turns))
        assert.is_true(peak < limit, ("%d MiB"):format(peak))
    end)

    it("does so for views, tables of results and graphs", function()
        local peak = peak_of(([[
local tocha = require "tocha"
local x = tocha.ones(512, 512):requires_grad_()
for i = 1, %d do
    local parts = {}
    for k = 1, 4 do parts[k] = (x * k)[k] end
    local loss = (x * 2):exp():sum()
    if i %% 2 == 0 then loss:backward() x.grad = nil end
end]]):format(turns // 40))
        assert.is_true(peak < limit, ("%d MiB"):format(peak))
    end)

    it("frees what coroutines and errors leave behind", function()
        local function turn(i)
            local co = coroutine.wrap(function()
                local x = tocha.ones(64, 64) * i
                coroutine.yield(x:sum())
                return x
            end)
            co()
            pcall(function()
                local x = tocha.ones(64, 64)
                return (x + 1):view(5)
            end)
        end
        turn(1)
        local before = stats()
        for i = 1, 200 do
            turn(i)
        end
        local after = stats()
        assert.are.equal(before.tensors, after.tensors)
        assert.are.equal(before.live, after.live)
    end)
end)

describe("statistics", function()
    it("count live bytes, their peak, blocks and tensors", function()
        local before = stats()
        tocha.reset_peak_memory_stats()
        local x = tocha.zeros(1024, 1024)
        local with = tocha.memory_stats()
        assert.is_true(with.live - before.live >= 4 << 20)
        assert.is_true(with.live - before.live < (4 << 20) + 4096)
        assert.are.equal(before.tensors + 1, with.tensors)
        assert.is_true(with.allocs > before.allocs)
        assert.is_true(with.peak >= with.live)
        assert.are.equal(1024, x:size(1))
        x = nil
        local after = stats()
        assert.is_nil(x)
        assert.are.equal(before.live, after.live)
        assert.are.equal(before.tensors, after.tensors)
        assert.is_true(after.peak >= before.live + (4 << 20))
        assert.are.equal(after.allocs - before.allocs, after.frees - before.frees)
        for _, field in ipairs {"live", "peak", "cached", "limit", "allocs", "frees", "system_allocs", "tensors"} do
            assert.are.equal("integer", math.type(after[field]), field)
        end
    end)

    it("empty_cache gives cached blocks back", function()
        local x = tocha.zeros(1024, 1024)
        x = x and nil
        collect()
        tocha.empty_cache()
        assert.are.equal(0, tocha.memory_stats().cached // (1 << 20))
        assert.is_nil(x)
    end)

    it("a large block is used again", function()
        if sanitized or tocha.memory_stats().limit > 0 then
            return
        end
        local function turn()
            local x <close> = tocha.zeros(1024, 1024)
            return x:numel()
        end
        turn()
        local before = tocha.memory_stats().system_allocs
        for _ = 1, 20 do
            turn()
        end
        assert.are.equal(before, tocha.memory_stats().system_allocs)
    end)
end)

describe("<close>", function()
    it("frees at the end of the block", function()
        local before = stats().live
        local kept
        do
            local x <close> = tocha.zeros(512, 512)
            assert.is_true(tocha.memory_stats().live >= before + (1 << 20))
            kept = x
        end
        assert.is_true(tocha.memory_stats().live < before + 4096)
        for _, use in ipairs {
            function() return kept + 1 end, function() return kept:sum() end, function() return kept[1] end,
            function() kept[1] = 0 end, function() return #kept end, function() return kept.shape end,
            function() return kept:tolist() end, function() return tocha.cat({kept}) end,
            function() return kept == kept + 0 end, function() kept:exp_() end,
            function() return "x" .. kept end, function() return ("%d"):format(kept) end,
            function() kept:backward() end, function() return kept:item() end,
        } do
            local ok, message = pcall(use)
            assert.is_false(ok)
            assert.is_truthy(tostring(message):find("freed when its block ended", 1, true), tostring(message))
        end
        assert.are.equal("tensor(freed)", tostring(kept))
    end)

    it("leaves what others hold", function()
        local view, y
        do
            local x <close> = tocha.ones(4):requires_grad_()
            view = x:detach():narrow(1, 1, 2)
            y = (x * x):sum()
        end
        collect()
        assert.are.same({1, 1}, view:tolist())
        y:backward()
        assert.are.equal(4, y:item())
    end)

    it("frees when an error passes through", function()
        local before = stats().live
        pcall(function()
            local x <close> = tocha.zeros(512, 512)
            error(x:numel())
        end)
        assert.is_true(tocha.memory_stats().live < before + 4096)
    end)
end)

--- A step of a small network with everything in it that training has; what it made is the caller's only through
--- the network. Fails with whatever error comes.
local function training_step()
    tocha.manual_seed(3)
    local net = nn.Sequential(nn.Conv2d(1, 2, 3, {padding = 1}), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(0.2), nn.Linear(8, 3))
    local optimizer = optim.Adam(net:parameters(), {lr = 0.01})
    local input, target = tocha.randn(2, 1, 4, 4), tocha.randint(3, {2})
    for _ = 1, 2 do
        optimizer:zero_grad()
        local output = net(input)
        output[{1, 2}] = output[{2, 2}] * 2
        local loss = tocha.cross_entropy(output, target)
        loss = loss + tocha.grad(loss, net:parameters(), {create_graph = true})[1]:square():sum()
        loss:backward()
        optimizer:step()
    end
    tocha.no_grad(function()
        local picked = input[{input:gt(0)}]
        return tocha.cat({picked, picked}):sum() .. tostring(tocha.stack({target, target}))
    end)
    return net
end

describe("a failing allocation", function()
    it("anywhere in a training step is an error, leaks nothing and leaves everything usable", function()
        training_step()
        local before = stats()
        local start = before.allocs
        training_step()
        local total = stats().allocs - start
        assert.is_true(total > 300)
        local reached = true
        local n = 0
        while reached do
            tocha._fail_after(n, math.maxinteger)
            local ok, message = pcall(training_step)
            reached = tocha._fail_after(-1) < math.maxinteger
            assert(ok ~= reached, ("n = %d: %s"):format(n, ok and "the step went on without it" or message))
            assert(ok or message:find("memory", 1, true), ("n = %d: %s"):format(n, message))
            assert.is_true(tocha.is_grad_enabled())
            message = nil
            local after = stats()
            assert.are.equal(before.tensors, after.tensors, ("tensors after n = %d"):format(n))
            assert.are.equal(before.live, after.live, ("live bytes after n = %d"):format(n))
            assert.is_nil(message)
            n = n + (quick and 7 or 1)
        end
        assert.is_true(n >= total)
        assert.is_true(training_step() ~= nil)
    end)
end)

describe("TOCHA_MEMORY_LIMIT", function()
    it("is an error that says so, and the session goes on", function()
        local text = process.run("TOCHA_MEMORY_LIMIT=64M", [[
local tocha = require "tocha"
print(tocha.memory_stats().limit)
print(pcall(tocha.zeros, 8192, 8192))
local x = tocha.ones(1024, 1024)
print(x:sum():item())
local ok = pcall(function() return tocha.cat({x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}) end)
print(ok, tocha.ones(3):sum():item())
for i = 1, 200 do x = x + 1 end
print(x[{1, 1}]:item())]])
        assert.is_truthy(text:find("^67108864\nfalse\t"), text)
        assert.is_truthy(text:find("zeros: out of memory: 268435456 bytes requested", 1, true), text)
        assert.is_truthy(text:find("limit 67108864", 1, true), text)
        assert.is_truthy(text:find("\n1048576.0\nfalse\t3.0\n201.0\n$"), text)
    end)

    it("collects garbage before it gives up", function()
        local text = process.run("TOCHA_MEMORY_LIMIT=24M", [[
local tocha = require "tocha"
collectgarbage("stop")
local x = tocha.ones(1024, 1024)
for i = 1, 100 do x = x + 1 end
print(x[{1, 1}]:item())]])
        assert.are.equal("101.0\n", text)
    end)
end)

it("a process that only loads Tocha stays small", function()
    local text = process.run("", [[
local tocha = require "tocha"
local x = tocha.ones(3) + 1
for line in io.lines("/proc/self/status") do
    local kib = line:match("^VmHWM:%s*(%d+)")
    if kib then print(kib // 1024) end
end]])
    assert.is_true(tonumber(text) < (sanitized and 400 or 25), text .. " MiB")
    assert.is_true(status("VmRSS") > 0)
end)
