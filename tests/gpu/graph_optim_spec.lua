--- Optimisers in graphs: replays take the same steps, bit for bit, as the same program without a graph.

local optim = require "optim"
local tocha = require "tocha"
local expect = require "tests.support.expect"

local cuda = tocha.cuda
local on = {device = "cuda"}

local cases = {
    {"SGD", {lr = 0.1}},
    {"SGD", {lr = 0.1, weight_decay = 0.2, maximize = true}},
    {"SGD", {lr = 0.1, momentum = 0.9, dampening = 0.3}},
    {"SGD", {lr = 0.1, momentum = 0.9, nesterov = true}},
    {"Adam", {lr = 0.1, weight_decay = 0.3}},
    {"Adam", {lr = 0.1, betas = {0.8, 0.9}, amsgrad = true}},
    {"AdamW", {lr = 0.1}},
    {"AdamW", {lr = 0.1, amsgrad = true, maximize = true}},
}

--- An optimiser of three parameters in two groups, and a step of it whose gradients depend on the parameters and x.
local function start(name, options)
    local function parameter(n, dtype)
        return tocha.linspace(-1, 2, n):to(dtype, "cuda"):requires_grad_()
    end
    local a, b, c = parameter(7, "float32"), parameter(1300, "float64"), parameter(40, "bfloat16")
    local optimizer = optim[name]({{params = {a, b}}, {params = {c}, lr = 0.01}}, options)
    local x = tocha.ones(1, on)
    local function step()
        optimizer:zero_grad()
        local loss = 0
        for _, p in ipairs {a, b, c} do
            loss = loss + (p * p * p * x):sum()
        end
        loss:backward()
        optimizer:step()
        return loss
    end
    return {optimizer = optimizer, step = step, x = x, params = {a, b, c}}
end

--- What a program can see of a run: the bits of parameters and state.
local function seen(run)
    local result = {}
    for i, p in ipairs(run.params) do
        result[#result + 1] = {"parameter " .. i, p:tobytes()}
        for name, value in pairs(run.optimizer.state[p] or {}) do
            result[#result + 1] = {name .. " " .. i, tocha.is_tensor(value) and value:tobytes() or value}
        end
    end
    table.sort(result, function(x, y) return x[1] < y[1] end)
    return result
end

local function assert_same(wanted, got)
    assert.are.equal(#wanted, #got)
    for i, entry in ipairs(wanted) do
        assert(entry[1] == got[i][1] and entry[2] == got[i][2], got[i][1] .. " differs")
    end
end

--- Before step i: another input and, as a scheduler does it, another learning rate.
local function prepare(run, i)
    run.x:fill_(1 / (i + 1))
    run.optimizer.param_groups[1].lr = 0.1 * 0.8 ^ i
    run.optimizer.param_groups[2].lr = 0.01 + 0.02 * (i % 3)
end

local function saved_after(name, options, steps)
    local run = start(name, options)
    for _ = 1, steps do
        run.step()
    end
    return run.optimizer:state_dict()
end

local function raises(text, f, ...)
    local message = expect.message(f, ...)
    assert(message:find(text, 1, true), message)
end

for number, case in ipairs(cases) do
    local name, options = case[1], case[2]
    describe(("%s, case %d, in a graph"):format(name, number), function()
        for _, before in ipairs {0, 2} do
            it(("steps as without one, recorded after %d steps"):format(before), function()
                local eager, graphed = start(name, options), start(name, options)
                for i = 1, before do
                    for _, run in ipairs {eager, graphed} do
                        prepare(run, i)
                        run.step()
                    end
                end
                local g, loss = cuda.graph(graphed.step)
                assert_same(seen(eager), seen(graphed))
                for i = before + 1, before + 10 do
                    prepare(eager, i)
                    prepare(graphed, i)
                    local wanted = eager.step()
                    g:replay()
                    assert.are.equal(wanted:item(), loss:item())
                    assert_same(seen(eager), seen(graphed))
                end
            end)
        end

        it("goes on from a loaded state", function()
            local state = saved_after(name, options, 3)
            local eager, graphed = start(name, options), start(name, options)
            eager.optimizer:load_state_dict(state)
            graphed.optimizer:load_state_dict(state)
            local g = cuda.graph(graphed.step)
            for i = 1, 6 do
                if i == 4 then
                    eager.optimizer:load_state_dict(state)
                    graphed.optimizer:load_state_dict(state)
                end
                prepare(eager, i)
                prepare(graphed, i)
                eager.step()
                g:replay()
                assert_same(seen(eager), seen(graphed))
            end
        end)

        it("may be loaded, forget its state and step beside the graphs", function()
            local eager, graphed = start(name, options), start(name, options)
            local g, h = cuda.graph(graphed.step), nil
            local function replay() g:replay() end
            local function load(run) run.optimizer:load_state_dict(saved_after(name, options, 2)) end
            local function forget(run) run.optimizer.state = {} end
            local function again() h = cuda.graph(graphed.step) end
            local plan = {graphed.step, replay, load, replay, again, replay, function() h:replay() end, graphed.step,
                forget, function() h:replay() end, replay, forget, graphed.step, replay}
            for i, action in ipairs(plan) do
                prepare(eager, i)
                prepare(graphed, i)
                if action == load or action == forget then
                    action(eager)
                    action(graphed)
                elseif action == again then
                    again()
                else
                    eager.step()
                    action()
                end
                assert_same(seen(eager), seen(graphed))
            end
        end)
    end)
end

describe("An optimiser in a graph", function()
    it("says so where the step is another than the recorded one, and changes nothing", function()
        local run = start("Adam", {lr = 0.1})
        local g = cuda.graph(run.step)
        g:replay()
        local before = seen(run)
        run.optimizer.param_groups[2].amsgrad = true
        raises("another kind of step than the optimizer takes now", g.replay, g)
        assert_same(before, seen(run))
        run.optimizer.param_groups[2].amsgrad = false
        g:replay()
        assert.are.equal(2, run.optimizer.state[run.params[1]].step)
        run.optimizer.state[run.params[3]].exp_avg = tocha.zeros_like(run.params[3])
        raises("or one on other tensors", g.replay, g)
        assert.are.equal(2, run.optimizer.state[run.params[1]].step)
        assert.are.equal(0, tocha.zeros(1, on):item())
    end)

    it("steps parameters of the CPU at once, as everything there", function()
        local p, q = tocha.ones(3):requires_grad_(), tocha.ones(3, on):requires_grad_()
        p.grad, q.grad = tocha.ones(3), tocha.ones(3, on)
        local optimizer = optim.Adam({p, q}, {lr = 0.5})
        local g = cuda.graph(optimizer.step, optimizer)
        assert.are.same({1, nil}, {optimizer.state[p].step, optimizer.state[q]})
        g:replay()
        assert.are.same(p:tolist(), q:tolist())
    end)

    it("counts as many steps as a replay needs pages for", function()
        local params, others = {}, {}
        for i = 1, 200 do
            params[i] = tocha.full({3}, i / 100, on):requires_grad_()
            others[i] = tocha.full({3}, i / 100, on):requires_grad_()
            params[i].grad, others[i].grad = tocha.ones(3, on), tocha.ones(3, on)
        end
        local a, b = optim.AdamW(params), optim.AdamW(others)
        local g = cuda.graph(a.step, a)
        for _ = 1, 3 do
            g:replay()
            b:step()
        end
        for i = 1, 200 do
            assert.are.same(others[i]:tolist(), params[i]:tolist())
        end
    end)

    it("takes the steps of many parameters in few launches, whatever their layouts", function()
        local function parameters(device)
            local list = {}
            tocha.manual_seed(5)
            for i = 1, 100 do
                local p = tocha.randn(i % 7, 500, {dtype = "float32"})
                p = i % 10 == 0 and tocha.randn(500, 4):t() or i % 10 == 5 and tocha.randn(4, 9)[{{}, {2, 8}}] or p
                list[i] = p:to(device):requires_grad_()
                list[i].grad = tocha.randn(p:size()):to(device)
            end
            return list
        end
        local here, there = parameters("cpu"), parameters("cuda")
        local a = optim.AdamW(here, {lr = 0.1, weight_decay = 0.1})
        local b = optim.AdamW(there, {lr = 0.1, weight_decay = 0.1})
        local g = cuda.graph(b.step, b)
        local alone = 0
        for _, p in ipairs(there) do
            alone = alone + (p:is_contiguous() and 0 or 1)
        end
        assert.is_true(g:size() <= 8 + alone, g:size())
        for _ = 1, 3 do
            a:step()
            g:replay()
        end
        b:step()
        a:step()
        for i, p in ipairs(here) do
            assert.is_true(p:allclose(there[i]:cpu(), {rtol = 1e-5, atol = 1e-6}), "parameter " .. i)
        end
    end)

    it("lets go of gradients and optimiser when it is reset", function()
        local watched = setmetatable({}, {__mode = "v"})
        local g
        do
            local run = start("Adam", {lr = 0.1})
            watched[1] = run.optimizer
            g = cuda.graph(run.step)
        end
        g:replay()
        collectgarbage()
        assert.is_truthy(watched[1])
        g:reset()
        collectgarbage()
        collectgarbage()
        assert.is_nil(watched[1])
    end)

    it("does not read what stands in the buffer of a first step", function()
        local x, buffer, grad = tocha.ones(3, on), tocha.full({3}, 0 / 0, on), tocha.ones(3, on)
        tocha.sgd_step({x}, {grad}, {buffer}, {lr = 0.5, momentum = 0.5, steps = 1})
        assert.are.same({{0.5, 0.5, 0.5}, {1.0, 1.0, 1.0}}, {x:tolist(), buffer:tolist()})
    end)

    it("leaves steps that no optimiser takes as they are recorded", function()
        local x, buffer, grad = tocha.ones(3, on), tocha.zeros(3, on), tocha.ones(3, on)
        local g = cuda.graph(function()
            tocha.sgd_step({x}, {grad}, {buffer}, {lr = 0.5, momentum = 0.5, steps = 2})
        end)
        g:replay()
        g:replay()
        assert.are.same({-0.25, -0.25, -0.25}, x:tolist())
        raises("sgd_step: a graph cannot record this: every replay would be a first step", cuda.graph, function()
            tocha.sgd_step({x}, {grad}, {buffer}, {lr = 0.5, momentum = 0.5, steps = 1})
        end)
    end)
end)
