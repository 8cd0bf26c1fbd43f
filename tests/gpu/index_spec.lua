--- Reading and writing at positions on the device against the CPU, with many elements to each target.

local tocha = require "tocha"

local function moved(t)
    return tocha.is_tensor(t) and t:cuda() or t
end

--- f on the CPU and on the device, which must agree and give the same bits again.
local function check(f, ...)
    local args = table.pack(...)
    local there = {}
    for i = 1, args.n do
        there[i] = moved(args[i])
    end
    local want = f(table.unpack(args, 1, args.n))
    local got = f(table.unpack(there, 1, args.n)):cpu()
    assert.is_true(tocha.allclose(got, want, {rtol = 1e-5, atol = 1e-6, equal_nan = true}))
    assert.is_true(f(table.unpack(there, 1, args.n)):cpu():tobytes() == got:tobytes())
end

local function positions(n, size)
    return (tocha.rand(n) * size):floor():to("int64") + 1
end

describe("on a CUDA device", function()
    before_each(function() tocha.manual_seed(3) end)

    for _, reduce in ipairs {"prod", "amax", "amin", "mean", "sum"} do
        it("scatter_reduce joins many elements by " .. reduce, function()
            for _, targets in ipairs {1, 7, 900} do
                local src = tocha.rand(20000) * 0.02 + 0.99
                local index = positions(20000, targets)
                check(tocha.scatter_reduce, tocha.ones(targets), 1, index, src, reduce)
                check(tocha.scatter_reduce, tocha.ones(targets), 1, index, src, reduce, false)
                check(tocha.scatter_reduce, tocha.ones(targets):to("int32"), 1, index, src:mul(3):to("int32"), reduce)
            end
            local src = tocha.rand(40, 60):t() + 0.5
            check(tocha.scatter_reduce, tocha.ones(60, 5), 2, positions(2400, 5):view(60, 40), src, reduce)
        end)
    end

    it("a nan wins over the largest and the smallest", function()
        local src, index = tocha.rand(5000), positions(5000, 3)
        src[2500] = 0 / 0
        check(tocha.scatter_reduce, tocha.ones(3), 1, index, src, "amax")
        check(tocha.scatter_reduce, tocha.ones(3), 1, index, src, "amin")
    end)

    it("masks write as often as they are true", function()
        local x, mask = tocha.rand(70, 90), tocha.rand(70, 90):gt(0.4)
        local n = mask:sum():item()
        check(function(t, m, v) return t:index_put({m}, v) end, x, mask, tocha.rand(n))
        check(function(t, m, v) return t:index_put({m}, v, true) end, x, mask:t():contiguous():t(), tocha.rand(n))
        check(function(t, m, v) return t:index_put({m}, v) end, x, tocha.rand(70):gt(2), tocha.rand(1, 90))
        check(tocha.masked_scatter, x, mask, tocha.rand(n))
        check(function(t, m) return t:masked_select(m) end, x, mask)
        local y, m = x:cuda(), mask:cuda()
        y[m] = 3
        x[mask] = 3
        assert.is_true(y:cpu() == x)
    end)

    it("complex numbers are added at positions", function()
        local src = tocha.complex(tocha.rand(9000), tocha.randn(9000))
        check(tocha.scatter_add, tocha.complex(tocha.ones(30), tocha.ones(30)), 1, positions(9000, 30), src)
        local zero = tocha.complex(tocha.zeros(30), tocha.zeros(30))
        check(function(t, i, v) return t:index_put({i}, v, true) end, zero, positions(9000, 30), src)
    end)

    it("what a composed op was given is told under its own name", function()
        local ok, message = pcall(function()
            local out = tocha.scatter_reduce(tocha.zeros(3):cuda(), 1, tocha.tensor({1, 4}):cuda(),
                                             tocha.ones(2):cuda(), "prod")
            return out:cpu()
        end)
        assert.is_false(ok)
        assert.is_truthy(message:find("scatter_reduce: index must be in [1, 3] or [-3, -1], got 4 at position 2", 1,
                                      true))
    end)
end)
