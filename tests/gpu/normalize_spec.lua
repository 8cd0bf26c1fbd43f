--- Norms and losses on the device against the CPU, on rows that fill registers, outgrow them, and are cut into parts.

local tocha = require "tocha"

local tolerances = {float16 = 4e-3, float32 = 2e-5, float64 = 1e-11}

local function near(a, b, dtype)
    local tolerance = tolerances[dtype]
    return tocha.allclose(a:cpu():to("float64"), b:to("float64"), {rtol = tolerance, atol = tolerance})
end

--- f(...) gives the same on both devices, and the same bits again.
local function check(dtype, f, ...)
    local args, on_device = {...}, {}
    for i = 1, select("#", ...) do
        on_device[i] = tocha.is_tensor(args[i]) and args[i]:cuda() or args[i]
    end
    local n = select("#", ...)
    local want, got = {f(...)}, {f(table.unpack(on_device, 1, n))}
    local again = {f(table.unpack(on_device, 1, n))}
    for i, t in ipairs(want) do
        assert.is_true(near(got[i], t, dtype), ("output %d differs"):format(i))
        assert.is_true(again[i]:cpu():tobytes() == got[i]:cpu():tobytes())
    end
    return table.unpack(want)
end

local function standardize(x, weight, bias, options)
    return tocha.standardize(x, weight, bias, options)
end

local function backward(grad, x, weight, mean, rstd, options)
    return tocha.standardize_backward(grad, x, weight, mean, rstd, options)
end

local function check_norm(shape, dtype, options)
    tocha.manual_seed(3)
    local x = (tocha.randn(shape) + 3):to(dtype)
    local weight = tocha.rand(shape[2] * shape[3]):to(dtype)
    local _, mean, rstd = check(dtype, standardize, x, weight, weight - 0.5, options)
    check(dtype, standardize, x, nil, nil, options)
    local grad = tocha.randn(shape):to(dtype)
    options = {over_batch = options.over_batch, center = options.center}
    check(dtype, backward, grad, x, weight, mean, rstd, options)
    check(dtype, backward, grad, x, nil, mean, rstd, options)
end

describe("on a CUDA device the norms agree with the CPU's", function()
    local rows = {
        {300, 1, 96, 1}, {7, 1, 1001, 1}, {20, 1, 5000, 1}, {3, 1, 20000, 1}, {40, 3, 52, 1},
        {2, 4, 3, 64}, {2, 2, 3, 7}, {1, 2, 4, 20000},
    }
    for _, shape in ipairs(rows) do
        local name = table.concat(shape, "x")
        it("over rows of " .. name, function()
            check_norm(shape, "float32", {})
            check_norm(shape, "float64", {center = false, eps = 0.01})
        end)
    end

    for _, shape in ipairs {{300, 40, 1, 1}, {70, 33, 1, 1}, {8, 4, 1, 1000}, {60, 3, 1, 6}, {1, 2, 1, 50000}} do
        it("over the batch of " .. table.concat(shape, "x"), function()
            check_norm(shape, "float32", {over_batch = true})
            check_norm(shape, "float64", {over_batch = true})
        end)
    end

    it("in half precision", function()
        check_norm({6, 1, 256, 1}, "float16", {})
        check_norm({6, 4, 1, 40}, "float16", {over_batch = true})
    end)
end)

describe("on a CUDA device", function()
    it("cross entropy agrees with the CPU's on long rows, with weights and smoothing", function()
        tocha.manual_seed(4)
        for _, shape in ipairs {{50, 1000}, {3, 20001}, {9, 5}} do
            local x, weight = tocha.randn(shape) * 20, tocha.rand(shape[2])
            local target = tocha.randint(shape[2], {shape[1]})
            target[2] = -100
            for _, smoothing in ipairs {0, 0.25} do
                local options = {label_smoothing = smoothing}
                local _, lse = check("float32", tocha.cross_entropy_rows, x, target, weight, options)
                check("float32", tocha.cross_entropy_rows_backward, tocha.randn(shape[1]), x, target, weight, lse,
                    options)
            end
        end
    end)

    it("cross entropy of infinite logits and of none is the CPU's", function()
        local inf = math.huge
        local x = tocha.tensor {{inf, 0, 1}, {-inf, -inf, -inf}, {-inf, 2, 1}}
        local _, lse = tocha.cross_entropy_rows(x:cuda(), tocha.tensor({1, 2, 3}):cuda())
        assert.are.equal(inf, lse[1]:item())
        assert.are.equal(-inf, lse[2]:item())
        assert.is_true(math.abs(lse[3]:item() - 2.3132616875) < 1e-6)
    end)

    it("ctc_loss and its gradient agree with the CPU's for long sequences of repeated labels", function()
        tocha.manual_seed(5)
        local probs = tocha.randn({60, 3, 6}, {dtype = "float64"}):log_softmax(3)
        local targets = tocha.randint(6, {3, 20})
        local steps, lengths = tocha.tensor {60, 55, 48}, tocha.tensor {20, 11, 0}
        check("float64", tocha.ctc_losses, probs, targets, steps, lengths, 2)
        check("float64", tocha.ctc_losses_backward, tocha.tensor({1, 2, 3}, {dtype = "float64"}), probs, targets,
            steps, lengths, 2)
    end)
end)
