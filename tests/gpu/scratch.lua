--- Calls ops that take scratch memory under every limit of memory that lets them fail at another place. Prints what is
--- wrong; with TOCHA_GPU_NOCACHE=1, so that nothing but the limit decides.

local nn = require "nn"
local tocha = require "tocha"

local cuda = tocha.cuda

local function allocated()
    collectgarbage()
    collectgarbage()
    cuda.synchronize()
    return cuda.memory_allocated()
end

local function calls()
    local x, n = tocha.rand(3, 5000):cuda(), 15000
    local index = (tocha.rand(n) * 9):floor():to("int64"):cuda() + 1
    local mask, line = x:gt(0.5), x:view(-1)
    local rows = tocha.rand(4, 8, 130, 8):cuda()
    local halves, sums = rows:to("float16"), rows:select(4, 1):clone()
    local wide = tocha.ones(1, 1, 1, 1):cuda()
    local sequences, lstm = tocha.rand(9, 16, 30):cuda(), nn.LSTM(30, 40, {num_layers = 2}):cuda()
    return {
        attend_backward = function()
            return (tocha.attend_backward(rows, rows, rows, rows, nil, rows, sums, nil, 0.3))
        end,
        attend_backward_of_halves = function() -- whose gradient is copied first
            return (tocha.attend_backward(wide:half():expand(4, 8, 130, 8), halves, halves, halves, nil, halves, sums,
                nil, 0.3))
        end,
        lstm = function()
            local out = lstm(sequences)
            return tocha.grad(out:sum(), {lstm.weight_hh_l1})[1]
        end,
        sort = function() return x:sort(2) end,
        topk = function() return x:topk(9, 2) end,
        kthvalue = function() return x:kthvalue(9, 2) end,
        median = function() return x:median() end,
        mode = function() return x:mode(2) end,
        cumsum = function() return line:cumsum(1) end,
        histc = function() return x:histc(5000) end,
        nonzero = function() return x:nonzero() end,
        scatter_add = function() return tocha.zeros(9, {device = "cuda"}):scatter_add(1, index, line) end,
        scatter_reduce = function() return tocha.ones(9, {device = "cuda"}):scatter_reduce(1, index, line, "prod") end,
        index_put = function() return x:index_put({mask}, tocha.ones(1, {device = "cuda"})) end,
    }
end

--- nil, or what is wrong with the errors of f, or with what it does after them.
local function problem(f)
    f()
    local before, want, failures = allocated(), tostring((f())), 0
    while failures < 4000 do
        cuda.set_memory_limit(allocated() + failures * 16384 + 512)
        local ok, result = pcall(f)
        cuda.set_memory_limit(0)
        local text = tostring(result)
        result = nil -- luacheck: ignore
        if not ok and not text:find("out of memory", 1, true) then
            return text
        elseif allocated() ~= before then
            return ("%d bytes are left behind"):format(allocated() - before)
        elseif ok then
            return text ~= want and "another result" or failures == 0 and "it never failed" or nil
        end
        failures = failures + 1
    end
    return "it always failed"
end

for name, f in pairs(calls()) do
    local text = problem(f)
    if text then
        print(name .. ": " .. text)
    end
end
