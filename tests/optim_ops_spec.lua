--- The optimisers' steps against the same formulas in Lua, number by number.

local tocha = require "tocha"
local elements = require "tests.support.elements"
local expect = require "tests.support.expect"

local near, equal, numbers, of = elements.near, elements.equal, elements.numbers, elements.of
local message = expect.message

local function sgd(state, g, o)
    g = (o.maximize and -g or g) + (o.weight_decay or 0) * state.p
    local momentum = o.momentum or 0
    if momentum ~= 0 then
        state.buffer = state.buffer and momentum * state.buffer + (1 - (o.dampening or 0)) * g or g
        g = o.nesterov and g + momentum * state.buffer or state.buffer
    end
    state.p = state.p - o.lr * g
end

local function adam(state, g, o)
    local beta1, beta2, decay = o.beta1 or 0.9, o.beta2 or 0.999, o.weight_decay or 0
    state.step = (state.step or 0) + 1
    g = o.maximize and -g or g
    if o.decoupled then
        state.p = state.p * (1 - o.lr * decay)
    else
        g = g + decay * state.p
    end
    state.m = (state.m or 0) * beta1 + (1 - beta1) * g
    state.v = (state.v or 0) * beta2 + (1 - beta2) * g * g
    local v = state.v
    if o.amsgrad then
        state.most = math.max(state.most or 0, v)
        v = state.most
    end
    local denominator = math.sqrt(v) / math.sqrt(1 - beta2 ^ state.step) + (o.eps or 1e-8)
    state.p = state.p - o.lr / (1 - beta1 ^ state.step) * state.m / denominator
end

local function options_of(o)
    local copy = {}
    for k, v in pairs(o) do
        copy[k] = v
    end
    return copy
end

local function run_sgd(p, grads, o)
    local buffer = (o.momentum or 0) ~= 0 and tocha.full_like(p, 0 / 0) or nil
    for i, g in ipairs(grads) do
        local options = options_of(o)
        options.steps = i
        options.momentum_buffers = buffer and {buffer}
        assert(tocha.sgd_step({p}, {g}, options):equal(p))
    end
end

local function run_adam(p, grads, o)
    local m, v = tocha.zeros_like(p), tocha.zeros_like(p)
    local most = o.amsgrad and tocha.zeros_like(p) or nil
    for i, g in ipairs(grads) do
        local options = options_of(o)
        options.amsgrad = nil
        options.max_exp_avg_sqs = most and {most}
        options.steps = i
        tocha.adam_step({p}, {g}, {m}, {v}, options)
    end
end

local function expected(reference, p, grads, o)
    local list = {}
    for i, x in ipairs(of(p)) do
        local state = {p = x}
        for _, g in ipairs(grads) do
            reference(state, of(g)[i], o)
        end
        list[i] = state.p
    end
    return list
end

local tolerances = {float64 = 1e-13, float32 = 2e-6, float16 = 8e-3, bfloat16 = 6e-2}

local function check(run, reference, o)
    for dtype, tolerance in pairs(tolerances) do
        for _, n in ipairs {1, 7, 300} do
            local start = numbers(n, 3, 5, dtype)
            local grads = {}
            for i = 1, 4 do
                grads[i] = numbers(n + i, -2, 2, dtype):slice(1, i + 1, n + i)
            end
            local wanted = expected(reference, start, grads, o)
            local p = start:clone()
            run(p, grads, o)
            near(wanted, p, tolerance, dtype)
            local strided = tocha.zeros(n, 2, {dtype = dtype})
            strided:select(2, 2):copy_(start)
            run(strided:select(2, 2), grads, o)
            equal(of(p), strided:select(2, 2), dtype)
            equal(of(tocha.zeros(n)), strided:select(2, 1), dtype)
        end
    end
end

describe("sgd_step", function()
    for name, o in pairs {
        plain = {lr = 0.1},
        ["weight decay"] = {lr = 0.1, weight_decay = 0.05},
        maximize = {lr = 0.1, maximize = true},
        momentum = {lr = 0.1, momentum = 0.9},
        dampening = {lr = 0.1, momentum = 0.9, dampening = 0.3, weight_decay = 0.01},
        nesterov = {lr = 0.05, momentum = 0.8, nesterov = true, weight_decay = 0.02, maximize = true},
    } do
        it("follows the formulas with " .. name, function()
            check(run_sgd, sgd, o)
        end)
    end

    it("steps several parameters as it does one, each at its own step", function()
        local o = {lr = 0.1, momentum = 0.9, dampening = 0.3, nesterov = false}
        local together, alone = {{}, {}, {}}, {{}, {}, {}}
        for k, n in ipairs {300, 1, 7} do
            for i, low in ipairs {-1, 1, 2} do
                together[i][k] = numbers(n, low, low + 3, "float32")
                alone[i][k] = together[i][k]:clone()
            end
        end
        o.momentum_buffers, o.steps = together[3], {1, 2, 5}
        tocha.sgd_step(together[1], together[2], o)
        for k, step in ipairs {1, 2, 5} do
            o.momentum_buffers, o.steps = {alone[3][k]}, step
            tocha.sgd_step({alone[1][k]}, {alone[2][k]}, o)
            assert.is_true(alone[1][k]:equal(together[1][k]) and alone[3][k]:equal(together[3][k]))
        end
    end)

    it("complains and changes nothing", function()
        local p, q = tocha.ones(3), tocha.ones(2)
        assert.equal("sgd_step: entry 2 of grads must have its param's shape 2, got 3",
            message(tocha.sgd_step, {p, q}, {tocha.ones(3), tocha.ones(3)}, {lr = 1}))
        assert.equal("sgd_step: grads must have as many tensors as params, 2, got 1",
            message(tocha.sgd_step, {p, q}, {tocha.ones(3)}, {lr = 1}))
        assert.equal("sgd_step: params is empty", message(tocha.sgd_step, {}, {}, {lr = 1}))
        assert.equal("sgd_step: momentum_buffers are needed for momentum 0.9",
            message(tocha.sgd_step, {p}, {tocha.ones(3)}, {lr = 1, momentum = 0.9}))
        assert.matches("^sgd_step: .*float32.*float64",
            message(tocha.sgd_step, {p}, {tocha.ones(3, {dtype = "float64"})}, {lr = 1}))
        assert.matches("^sgd_step: params must be .*, got int64$",
            message(tocha.sgd_step, {tocha.arange(3)}, {tocha.arange(3)}, {lr = 1}))
        assert.matches("^sgd_step: params", message(tocha.sgd_step, p, {p}, {lr = 1}))
        equal({1, 1, 1}, p)
        equal({1, 1}, q)
    end)

    it("writes leaves outside the graph, and counts as a write", function()
        local p, q = tocha.ones(2, {requires_grad = true}), tocha.ones(2, {requires_grad = true})
        local y = (p * p * q * q):sum()
        tocha.sgd_step({p, q}, {tocha.ones(2), tocha.zeros(2)}, {lr = 1})
        equal({0, 0}, p)
        assert.is_true(p.is_leaf and q.is_leaf)
        assert.matches("changed in place", message(y.backward, y))
    end)
end)

describe("adam_step", function()
    for name, o in pairs {
        plain = {lr = 0.1},
        betas = {lr = 0.01, beta1 = 0.5, beta2 = 0.9, eps = 1e-3},
        ["weight decay"] = {lr = 0.1, weight_decay = 0.05},
        ["decoupled weight decay"] = {lr = 0.1, weight_decay = 0.05, decoupled = true},
        amsgrad = {lr = 0.1, amsgrad = true, beta2 = 0.5},
        everything = {lr = 0.1, amsgrad = true, weight_decay = 0.05, decoupled = true, maximize = true},
    } do
        it("follows the formulas with " .. name, function()
            local sizes = o.eps and o or options_of(o)
            sizes.eps = o.eps or 1e-4
            check(run_adam, adam, sizes)
        end)
    end

    it("does not depend on the number of threads", function()
        local threads = tocha.get_num_threads()
        local function run(n)
            tocha.set_num_threads(n)
            local p = numbers(1000, 1, 2, "float32"):expand(200, 1000):contiguous()
            run_adam(p, {p * 0.5, p * 0.25}, {lr = 0.1})
            return p
        end
        local single, several = run(1), run(3)
        tocha.set_num_threads(threads)
        assert.is_true(single:equal(several))
    end)

    it("complains", function()
        local p = tocha.ones(3)
        assert.equal("adam_step: steps count from 1, got 0",
            message(tocha.adam_step, {p}, {p}, {p}, {p}, {steps = 0}))
        assert.equal("adam_step: steps must be one number or one for each of the 1 params, got 2",
            message(tocha.adam_step, {p}, {p}, {p}, {p}, {steps = {1, 2}}))
        assert.equal("adam_step: entry 1 of exp_avg_sqs must have its param's shape 3, got 1",
            message(tocha.adam_step, {p}, {p}, {p}, {tocha.ones(1)}, {steps = 1}))
    end)
end)
