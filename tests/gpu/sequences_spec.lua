--- Attention and recurrent layers on the device "cuda": sizes at which tiles, slices and layouts matter, against the
--- CPU's results.

local tocha = require "tocha"
local process = require "tests.support.process"

local on_host = os.getenv("TOCHA_HOSTGPU") ~= nil

--- The largest difference between a result on the device and one on the CPU.
local function distance(there, here)
    return here:numel() == 0 and 0 or (there:cpu():double() - here:double()):abs():max():item()
end

--- A leaf on the CPU and one with the same values on the device. place(t) may give it other strides.
local function pair(t, place)
    place = place or function(x) return x end
    return {t:clone():requires_grad_(), place(t:cuda()):detach():requires_grad_()}
end

--- Compares call(...) and the gradients of its outputs' sum, weighed, at pairs of leaves.
local function compare(name, pairs_of_leaves, tolerance, call)
    local results, grads = {}, {}
    for side = 1, 2 do
        local leaves = {}
        for i, both in ipairs(pairs_of_leaves) do
            leaves[i] = both[side]
        end
        local total
        results[side] = {call(table.unpack(leaves))}
        for k, out in ipairs(results[side]) do
            local weights = tocha.arange(out:numel()):add(k):cos():view(out.shape):to {dtype = out.dtype,
                device = out.device}
            local term = (out * weights):sum()
            total = total and total + term or term
        end
        grads[side] = tocha.grad(total, leaves)
    end
    for k, out in ipairs(results[1]) do
        local far = distance(results[2][k], out)
        assert.is_true(far <= tolerance, ("%s: output %d is off by %g"):format(name, k, far))
    end
    for i, grad in ipairs(grads[1]) do
        local far = distance(grads[2][i], grad)
        assert.is_true(far <= 4 * tolerance, ("%s: gradient %d is off by %g"):format(name, i, far))
    end
end

local tolerances = {float64 = 1e-12, float32 = 1e-5, float16 = 8e-3, bfloat16 = 6e-2}

--- (B, H, L, E) as it comes from a projection: the heads beside one another.
local function heads_inside(t)
    return t:transpose(2, 3):contiguous():transpose(2, 3)
end

describe("attention on the device", function()
    local function check(name, options)
        local dtype = options.dtype or "float32"
        local b, h, k, l, s, e, v = table.unpack(options)
        local function random(...)
            return pair((tocha.randn(...) * 0.7):to(dtype), options.place)
        end
        local leaves = {random(b, h, l, e), random(b, k, s, e), random(b, k, s, v)}
        if options.bias then
            leaves[4] = random(options.bias)
        end
        compare(name .. " " .. dtype, leaves, tolerances[dtype], function(query, key, value, bias)
            local out, lse = tocha.attend(query, key, value, bias, e ^ -0.5, options.causal)
            return out, not options.no_lse and lse or nil
        end)
    end

    before_each(function() tocha.manual_seed(3) end)

    it("gives what the CPU gives, in tiles and slices of every kind", function()
        check("a tile", {1, 1, 1, 64, 64, 64, 64})
        check("several tiles, uneven", {1, 2, 2, 70, 131, 20, 24})
        check("wide values", {1, 1, 1, 5, 66, 8, 150})
        check("wide queries", {1, 1, 1, 66, 5, 150, 8})
        check("no multiples of four", {2, 1, 1, 33, 35, 37, 67})
        check("tiles", {1, 1, 1, 37, 40, 36, 70, dtype = "float64"})
        check("one query", {1, 2, 2, 1, 140, 16, 16})
        check("nothing but keys", {1, 1, 1, 0, 4, 2, 2})
    end)

    it("shares out the keys of a few queries between blocks", function()
        check("one query", {1, 1, 1, 1, 700, 8, 8})
        check("wide values", {1, 1, 1, 3, 300, 8, 150})
        check("causal", {1, 2, 1, 130, 400, 8, 8, causal = true})
        check("a bias, halves", {1, 2, 2, 5, 400, 8, 6, bias = {1, 2, 5, 400}, dtype = "float16"})
        check("doubles", {2, 1, 1, 2, 200, 5, 40, dtype = "float64"})
        check("no values", {1, 1, 1, 2, 300, 4, 0})
        local x, hidden = tocha.randn(1, 1, 1, 4):cuda(), tocha.full({1, 1, 1, 300}, -math.huge):cuda()
        local keys = tocha.randn(1, 1, 300, 4):cuda()
        local out, lse = tocha.attend(x, keys, keys, hidden, 1.0)
        assert.equal(0, out:abs():sum():item())
        assert.equal(-math.huge, lse:item())
    end)

    it("hides keys, adds a bias and shares the heads of keys", function()
        check("causal", {1, 2, 2, 130, 130, 16, 16, causal = true})
        check("causal, fewer keys", {1, 1, 1, 130, 70, 8, 8, causal = true})
        check("causal, more keys", {1, 1, 1, 70, 130, 8, 8, causal = true})
        check("shared keys", {2, 6, 2, 66, 40, 8, 8, causal = true})
        check("a bias of its own", {2, 4, 2, 20, 70, 8, 8, bias = {2, 4, 20, 70}})
        check("a bias for all", {2, 4, 2, 20, 70, 8, 8, bias = {1, 1, 1, 70}})
        check("a bias by query", {2, 4, 2, 20, 70, 8, 8, bias = {2, 1, 20, 1}})
    end)

    it("takes half types and any strides", function()
        for _, dtype in ipairs {"float16", "bfloat16"} do
            check("halves", {1, 2, 1, 66, 70, 40, 40, dtype = dtype, causal = true})
            check("halves, strided", {2, 3, 3, 10, 12, 6, 6, dtype = dtype, place = heads_inside})
        end
        check("heads inside", {2, 3, 3, 70, 12, 8, 8, place = heads_inside})
        check("turned", {1, 2, 2, 12, 10, 8, 8, place = function(t)
            return t:transpose(-2, -1):contiguous():transpose(-2, -1)
        end})
    end)

    it("is cuDNN's where that multiplies half types", function()
        for _, dtype in ipairs {"float16", "bfloat16"} do
            for _, no_lse in ipairs {false, true} do -- a gradient of lse is not for cuDNN
                check("cuDNN", {2, 2, 2, 64, 72, 16, 24, dtype = dtype, no_lse = no_lse})
                check("cuDNN, shared keys", {2, 6, 2, 65, 67, 8, 8, dtype = dtype, causal = true, no_lse = no_lse})
                check("cuDNN, heads inside", {2, 2, 2, 66, 64, 8, 8, dtype = dtype, place = heads_inside,
                    no_lse = no_lse})
            end
            check("cuDNN, fewer keys", {1, 2, 2, 80, 3, 8, 16, dtype = dtype, causal = true, no_lse = true})
            check("without cuDNN: a bias", {1, 2, 1, 64, 20, 8, 8, dtype = dtype, bias = {1, 1, 64, 20}})
            check("without cuDNN: no multiple of eight", {1, 2, 1, 64, 20, 12, 8, dtype = dtype})
        end
        if on_host and os.getenv("HOSTGPU_DNN") ~= "none" then
            -- cuDNN rounds the weights before it multiplies them with the values.
            local x = tocha.randn(1, 1, 64, 8):to("bfloat16"):cuda()
            local bias = tocha.zeros(1, 1, 1, 1):to("bfloat16"):cuda()
            local there, here = tocha.attend(x, x, x, nil, 1.0), tocha.attend(x, x, x, bias, 1.0)
            local far = distance(there, here:cpu())
            assert.is_true(far > 0 and far < tolerances.bfloat16)
            -- And the weights' gradients before it multiplies them with queries and keys. The gradient of a sum lies
            -- in one place.
            local grads = {}
            for i, mask in ipairs {false, bias} do
                local leaf = x:clone():requires_grad_()
                grads[i] = tocha.grad(tocha.attend(leaf, x, x, mask or nil, 1.0):sum(), {leaf})[1]
            end
            far = distance(grads[1], grads[2]:cpu())
            assert.is_true(far > 0 and far < tolerances.bfloat16)
        end
    end)

    local gradients = [[
        local tocha = require "tocha"
        tocha.backends.cudnn.deterministic = %s
        local function leaf(heads, rows, device)
            tocha.manual_seed(heads)
            return tocha.randn(2, heads, rows, 16):to("bfloat16"):to(device):requires_grad_()
        end
        local function run(device)
            local leaves = {leaf(4, 66, device), leaf(2, 70, device), leaf(2, 70, device)}
            local out = tocha.attend(leaves[1], leaves[2], leaves[3], nil, 0.25, true)
            local grads = tocha.grad((out * out):sum(), leaves)
            return tocha.cat({grads[1]:view(-1), grads[2]:view(-1), grads[3]:view(-1)}):cpu():double()
        end
        local first, second, expected = run("cuda"), run("cuda"), run("cpu")
        local far = (first - expected):abs():max():item()
        print(first == second and "same" or "other", far < 0.25 and "right" or "wrong")
    ]]

    -- cuDNN rounds more than the kernels that a bias goes to.
    local whose = [[
        local tocha = require "tocha"
        tocha.manual_seed(1)
        local x, bias = tocha.randn(1, 1, %d, 8):half():cuda(), tocha.zeros(1, 1, 1, 1):half():cuda()
        local out, lse = tocha.attend(x, x, x, bias, 1.0)
        local function grad(mask)
            return (tocha.attend_backward(x, x, x, x, mask, out, lse, nil, 1.0):cpu())
        end
        print(grad() == grad(bias) and "own" or "cuDNN")
    ]]

    local function under(settings, deterministic)
        return process.run(settings, gradients:format(deterministic))
    end

    if on_host then
        it("leaves gradients to cuDNN where it gives the right ones in one order", function()
            local function of(settings, keys)
                return process.run("HOSTGPU_DNN=exact " .. settings, whose:format(keys))
            end
            assert.equal("cuDNN\n", of("", 128))
            assert.equal("own\n", of("HOSTGPU_GENERATION=10", 128))
            assert.equal("own\n", of("HOSTGPU_DNN_VERSION=91001", 128))
            assert.equal("own\n", of("HOSTGPU_DNN_VERSION=91500", 64))
            assert.equal("cuDNN\n", of("HOSTGPU_DNN_VERSION=91500", 128))
            assert.equal("cuDNN\n", of("HOSTGPU_DNN_VERSION=91600", 64))
        end)

        it("lets cuDNN sum gradients up in any order only where that is allowed", function()
            assert.equal("other\tright\n", under("HOSTGPU_DNN=exact", "false"))
            assert.equal("same\tright\n", under("HOSTGPU_DNN=exact", "true"))
            assert.equal("same\tright\n", under("HOSTGPU_DNN=none", "false"))
            assert.equal("other\tright\n", under("HOSTGPU_DNN=exact HOSTGPU_LAZY=1 HOSTGPU_ORDER=reverse", "false"))
            assert.equal("same\tright\n", under("HOSTGPU_DNN=exact HOSTGPU_LAZY=1 HOSTGPU_ORDER=reverse", "true"))
        end)
    end

    it("gives the same bits again", function()
        local function leaf(heads, rows)
            return tocha.randn(2, heads, rows, 16):to("bfloat16"):cuda():requires_grad_()
        end
        local leaves = {leaf(4, 100), leaf(2, 130), leaf(2, 130)}
        local function run()
            local q, k, v = table.unpack(leaves)
            local out = tocha.attend(q, k, v, nil, 0.25, true)
            return {out, table.unpack(tocha.grad((out * out):sum(), leaves))}
        end
        local first = run()
        for i, again in ipairs(run()) do
            assert.is_true(again:cpu() == first[i]:cpu())
        end
    end)

    it("gives zeros to a query that sees nothing, and nan where the CPU does", function()
        local x = tocha.randn(1, 1, 3, 4):cuda()
        local bias = tocha.tensor({{0, -math.huge, 0}, {-math.huge, -math.huge, -math.huge}, {0, 0, math.huge}})
        local out, lse = tocha.attend(x, x, x, bias:view(1, 1, 3, 3):cuda(), 0.5)
        assert.equal(0, out[1][1][2]:abs():sum():item())
        assert.equal(-math.huge, lse[1][1][2]:item())
        assert.is_true(out[1][1][3]:isnan():all():item())
    end)

    it("needs no room for the scores", function()
        local q = tocha.randn(1, 1, 1024, 4):cuda()
        collectgarbage()
        collectgarbage()
        tocha.cuda.reset_peak_memory_stats()
        local before = tocha.cuda.memory_stats().live
        local out <close> = tocha.attend(q, q, q, nil, 0.5)
        assert.is_true(out:isfinite():all():item())
        assert.is_true(tocha.cuda.memory_stats().peak - before < 1024 * 1024 * 4 / 8)
    end)
end)

describe("a recurrent network that goes layer by layer on the device", function()
    local enabled = tocha.backends.cudnn.enabled

    setup(function() tocha.backends.cudnn.enabled = false end)
    teardown(function() tocha.backends.cudnn.enabled = enabled end)

    local gates = {lstm = 4, gru = 3, rnn_tanh = 1, rnn_relu = 1}

    local function check(name, dtype, place, ...)
        local k, layers, directions, input, h = gates[name], 2, 2, 5, 7
        tocha.manual_seed(4)
        local function random(...)
            return (tocha.randn(...) * 0.4):to(dtype)
        end
        local leaves = {pair(random(6, 9, input), place), pair(random(layers * directions, 9, h))}
        if name == "lstm" then
            leaves[3] = pair(random(layers * directions, 9, h))
        end
        local states = #leaves - 1
        for stack = 0, layers * directions - 1 do
            local wide = stack < directions and input or directions * h
            for _, shape in ipairs {{k * h, wide}, {k * h, h}, {k * h}, {k * h}} do
                leaves[#leaves + 1] = pair(random(table.unpack(shape)), #shape == 2 and place)
            end
        end
        local options = table.pack(...)
        compare(name .. " " .. dtype, leaves, tolerances[dtype], function(x, ...)
            local all = {...}
            local hx = states == 2 and {all[1], all[2]} or all[1]
            return tocha[name](x, hx, {table.unpack(all, states + 1)}, true, layers, 0.0, false, true,
                table.unpack(options))
        end)
    end

    local function turned(t)
        return t:transpose(-2, -1):contiguous():transpose(-2, -1)
    end

    it("gives what the CPU gives, through layers, both ways", function()
        for name in pairs(gates) do
            check(name, "float64")
            check(name, "float32", turned)
            check(name, "bfloat16")
        end
    end)
end)
