local tocha = require "tocha"
local expect = require "tests.support.expect"
local gradcheck = require "tests.support.gradcheck"

local message, values = expect.message, expect.values
local t = tocha.tensor
local nan, inf = 0 / 0, math.huge

local function random(...)
    return tocha.randn(...):to("float64")
end

describe("nll_loss", function()
    local logp = t({{-1., -2, -3}, {-4, -5, -6}})

    it("reduces as asked", function()
        values(3, tocha.nll_loss(logp, t({2, 1})))
        values(6, tocha.nll_loss(logp, t({2, 1}), {reduction = "sum"}))
        values({2, 4}, tocha.nll_loss(logp, t({2, 1}), {reduction = "none"}))
    end)

    it("weighs classes and leaves labels out", function()
        local weight = t({1., 3, 5})
        values((3 * 2 + 1 * 4) / 4, tocha.nll_loss(logp, t({2, 1}), weight))
        values({6, 4}, tocha.nll_loss(logp, t({2, 1}), weight, {reduction = "none"}))
        values(4, tocha.nll_loss(logp, t({-100, 1})))
        values(4, tocha.nll_loss(logp, t({2, 1}), {ignore_index = 2}))
        values({0, 4}, tocha.nll_loss(logp, t({2, 1}), {ignore_index = 2, reduction = "none"}))
        values(nan, tocha.nll_loss(logp, t({-100, -100})))
        values(0, tocha.nll_loss(logp, t({-100, -100}), {reduction = "sum"}))
    end)

    it("takes one row, further dims, strided and empty input", function()
        values(2, tocha.nll_loss(logp[1], t(2)))
        local deep = tocha.stack({logp, logp * 10}, 3)
        values({{2, 30}, {4, 60}},
            tocha.nll_loss(deep, t({{2, 3}, {1, 3}}), {reduction = "none"}))
        values(8, tocha.nll_loss(logp:t():contiguous():t(), t({3, 2}), {reduction = "sum"}))
        values(nan, tocha.nll_loss(tocha.zeros(0, 3), tocha.zeros(0, {dtype = "int64"})))
    end)

    it("names the bad label", function()
        assert.equal("nll_loss: target must hold class labels from 1 to 3, got 4 at position 2",
            message(tocha.nll_loss, logp, t({1, 4})))
        assert.equal("nll_loss: target must hold class labels from 1 to 3 (they count from 1), got 0 "
            .. "at position 1", message(tocha.nll_loss, logp, t({0, 1})))
        assert.equal("nll_loss: for an input of shape 2x3 target must have shape 2, got 3",
            message(tocha.nll_loss, logp, t({1, 2, 3})))
        assert.equal("nll_loss: weight must have one entry for each of the 3 classes, got shape 2",
            message(tocha.nll_loss, logp, t({1, 2}), t({1., 2})))
        assert.equal('nll_loss: reduction must be "none", "mean" or "sum", got "avg"',
            message(tocha.nll_loss, logp, t({1, 2}), {reduction = "avg"}))
    end)
end)

describe("cross_entropy", function()
    it("takes an empty table of options", function()
        local x = tocha.tensor {{1., 2.}, {3., 4.}}
        assert.are.equal(tocha.cross_entropy(x, tocha.tensor {1, 2}), tocha.cross_entropy(x, tocha.tensor {1, 2}, {}))
    end)

    it("of equal logits is the logarithm of the number of classes", function()
        values(math.log(5), tocha.cross_entropy(tocha.zeros(3, 5), t({1, 5, 2})), "float32", 1e-6)
        values(math.log(5), tocha.cross_entropy(tocha.zeros(5), t(2)), "float32", 1e-6)
        local shape = {2, 5, 3}
        local labels = tocha.ones(2, 3, {dtype = "int64"})
        values(math.log(5), tocha.cross_entropy(tocha.zeros(shape), labels), "float32", 1e-6)
    end)

    it("is right far from zero", function()
        values({0, 2000}, tocha.cross_entropy(t({{1000., -1000}, {1000., -1000}}), t({1, 2}),
            {reduction = "none"}))
        values(inf, tocha.cross_entropy(t({{0., -inf}}), t({2})))
    end)

    it("of probabilities agrees with that of labels", function()
        local x = random(4, 3)
        local one_hot = tocha.eye(3):to("float64"):index_select(1, t({2, 1, 3, 1}))
        for _, options in ipairs {{reduction = "mean"}, {reduction = "sum"}, {reduction = "none"},
            {label_smoothing = 0.25}, {label_smoothing = 0.25, reduction = "none"}} do
            local of_labels = tocha.cross_entropy(x, t({2, 1, 3, 1}), options)
            local of_probabilities = tocha.cross_entropy(x, one_hot, options)
            assert.is_true((of_labels - of_probabilities):abs():max():item() < 1e-14)
        end
    end)

    it("mixes weights, smoothing and labels that do not count as PyTorch does", function()
        local x = t({{0.2, -1, 3}, {1, 0.5, -2}, {0, 0, 1}}):to("float64")
        local weight = t({1., 2, 3}):to("float64")
        local options = {label_smoothing = 0.1, weight = weight}
        values(2.866897427148779, tocha.cross_entropy(x, t({2, 1, -100}), options), nil, 1e-14)
        options.reduction = "sum"
        values(8.600692281446337, tocha.cross_entropy(x, t({2, 1, -100}), options), nil, 1e-14)
        options.ignore_index = 3
        values(8.600692281446337, tocha.cross_entropy(x, t({2, 1, 3}), options), nil, 1e-14)
    end)

    it("says what is wrong, in its own name", function()
        local x = tocha.zeros(2, 3)
        assert.equal("cross_entropy: target must hold class labels from 1 to 3, got 9 at position 2",
            message(tocha.cross_entropy, x, t({1, 9})))
        assert.matches("^cross_entropy: target is float32 of shape 2; class labels must be integers",
            message(tocha.cross_entropy, x, t({1., 2})))
        assert.equal("cross_entropy: label_smoothing must be in [0, 1], got -1",
            message(tocha.cross_entropy, x, t({1, 2}), {label_smoothing = -1}))
        assert.matches('^cross_entropy: reduction must be "none"',
            message(tocha.cross_entropy, x, t({1, 2}), {reduction = ""}))
        assert.matches("^cross_entropy: weight must have one entry",
            message(tocha.cross_entropy, x, t({1, 2}), t({1.})))
        assert.matches("got a scalar", message(tocha.cross_entropy, t(1.), t(1)))
    end)
end)

describe("mse_loss and l1_loss", function()
    it("reduce as asked", function()
        local a, b = t({1., 2, 4}), t({1., 4, 1})
        values(13 / 3, tocha.mse_loss(a, b), nil, 1e-6)
        values(13, tocha.mse_loss(a, b, "sum"))
        values({0, 4, 9}, tocha.mse_loss(a, b, "none"))
        values(5 / 3, tocha.l1_loss(a, b), nil, 1e-6)
        values({0, 2, 3}, tocha.l1_loss(a, b, {reduction = "none"}))
        values({1, 4, 16}, tocha.mse_loss(a, 0, "none"))
        values(nan, tocha.mse_loss(tocha.zeros(0), tocha.zeros(0)))
    end)

    it("refuse shapes that would broadcast", function()
        assert.equal("mse_loss: input has shape 3x1 but target has 3; give them one shape, as with "
            .. "target:reshape(input.shape)", message(tocha.mse_loss, tocha.zeros(3, 1), tocha.zeros(3)))
        assert.matches("^l1_loss: input has shape 3x2 but target has 2; .*target:expand%(input.shape%)",
            message(tocha.l1_loss, tocha.zeros(3, 2), tocha.zeros(2)))
        assert.matches('reduction must be "none", "mean" or "sum", got "max"',
            message(tocha.mse_loss, tocha.zeros(3), tocha.zeros(3), "max"))
    end)
end)

describe("the gradient of", function()
    local weight = t({1., 2, 3}):to("float64")

    before_each(function()
        tocha.manual_seed(7)
    end)

    it("nll_loss", function()
        for _, reduction in ipairs {"none", "mean", "sum"} do
            local options = {reduction = reduction, ignore_index = 2}
            gradcheck.check(function(x) return tocha.nll_loss(x * x, t({1, 3, 2}), options) end,
                {random(3, 3)})
            gradcheck.check(function(x)
                return tocha.nll_loss(x * x, t({{1, 3}, {2, 2}}), weight, {reduction = reduction})
            end, {random(2, 3, 2)})
        end
        local x = random(2, 3)
        local w = weight:clone():requires_grad_()
        local loss = tocha.nll_loss(x, t({1, 2}), w)
        assert.matches("weight is not differentiable; pass weight:detach%(%)$",
            message(loss.backward, loss))
    end)

    it("cross_entropy", function()
        for _, reduction in ipairs {"none", "mean", "sum"} do
            local options = {reduction = reduction, label_smoothing = 0.1, weight = weight}
            gradcheck.check(function(x) return tocha.cross_entropy(x, t({1, 3}), options) end,
                {random(2, 3)})
            gradcheck.check(function(x, p) return tocha.cross_entropy(x, p * p, options) end,
                {random(2, 3), random(2, 3)})
        end
    end)

    it("mse_loss and l1_loss", function()
        for _, reduction in ipairs {"none", "mean", "sum"} do
            gradcheck.check(function(x, y) return tocha.mse_loss(x * x, y, reduction) end,
                {random(2, 3), random(2, 3)})
            gradcheck.check(function(x, y) return tocha.l1_loss(x * x, y * y, reduction) end,
                {random(2, 3), random(2, 3)})
        end
    end)
end)

describe("ctc_loss", function()
    --- The sum over all alignments, one by one.
    local function by_enumeration(p, labels, blank)
        local steps, classes = p:size(1), p:size(2)
        local total = 0.0
        local function walk(step, path, weight)
            if step > steps then
                local seen, last = {}, nil
                for _, c in ipairs(path) do
                    if c ~= last and c ~= blank then
                        seen[#seen + 1] = c
                    end
                    last = c
                end
                total = total + (table.concat(seen, " ") == table.concat(labels, " ") and weight or 0.0)
                return
            end
            for c = 1, classes do
                path[step] = c
                walk(step + 1, path, weight * p[step][c]:item())
                path[step] = nil
            end
        end
        walk(1, {}, 1.0)
        return -math.log(total)
    end

    it("sums over all alignments", function()
        tocha.manual_seed(13)
        local p = random(5, 3):softmax(2)
        for _, labels in ipairs {{2, 3}, {2, 2}, {3}} do
            local loss = tocha.ctc_loss(p:log(), t(labels), t(5), t(#labels), {reduction = "none"})
            assert.is_true(math.abs(loss:item() - by_enumeration(p, labels, 1)) < 1e-12)
        end
        local loss = tocha.ctc_loss(p:log(), t({1, 2}), t(5), t(2), {blank = 3, reduction = "none"})
        assert.is_true(math.abs(loss:item() - by_enumeration(p, {1, 2}, 3)) < 1e-12)
    end)

    it("is infinite where no alignment exists, or 0 if that is asked for", function()
        local p = tocha.zeros(2, 1, 3):log_softmax(3):requires_grad_()
        local function loss(zero)
            return tocha.ctc_loss(p, t({{2, 2}}), t({2}), t({2}), {zero_infinity = zero})
        end
        values(inf, loss(false))
        local zero = loss(true)
        values(0, zero)
        zero:backward()
        values(0, p.grad:abs():max())
    end)

    it("has the same gradient whether a graph of it is wanted or not", function()
        tocha.manual_seed(1)
        local cases = {
            {targets = t({{2, 2, 0}, {3, 2, 2}, {0, 0, 0}, {4, 0, 0}}), lengths = {2, 3, 0, 1}, steps = {6, 4, 5, 0}},
            {targets = t({2, 2, 3, 2, 3, 4}), lengths = {2, 3, 0, 1}, steps = {6, 5, 3, 2}},
            {targets = t({{2, 2}, {2, 2}}), lengths = {2, 2}, steps = {2, 3}},
            {targets = tocha.zeros(2, 0, {dtype = "int64"}), lengths = {0, 0}, steps = {6, 3}},
        }
        for _, case in ipairs(cases) do
            local p = tocha.randn(6, #case.lengths, 4, {dtype = "float64"}):log_softmax(3):detach():requires_grad_()
            local weight = tocha.randn(#case.lengths, {dtype = "float64"})
            local function gradient(options)
                local losses = tocha.ctc_losses(p, case.targets, t(case.steps), t(case.lengths), {zero_infinity = true})
                return tocha.grad((losses * weight):sum(), {p}, options)[1]
            end
            local plain, graph = gradient(), gradient({create_graph = true})
            assert.is_true((plain - graph):abs():max():item() < 1e-12)
            assert.is_true(tocha.grad(graph:square():sum(), {p})[1]:isfinite():all():item())
        end
    end)

    it("has gradients of every order, but says so of the kernel that computes the first", function()
        local p = tocha.zeros(3, 1, 3, {dtype = "float64"}):log_softmax(3):detach():requires_grad_()
        local function loss(x) return tocha.ctc_loss(x, t({{2}}), t({3}), t({1})) end
        assert.is_true(tocha.autograd.gradgradcheck(loss, {p}))
        local first = tocha.ctc_losses_backward(tocha.ones(1, {dtype = "float64"}), p, t({{2}}), t({3}), t({1}))
        assert.matches("ctc_losses_backward: is not differentiable", message(tocha.grad, first:sum(), {p}))
    end)
end)
