local tocha = require "tocha"
local expect = require "tests.support.expect"

local message = expect.message

local function close(a, b, tolerance)
    return (a - b):abs():max():item() < tolerance
end

local function weights(gates, input, h)
    local list = {}
    for i, shape in ipairs {{gates * h, input}, {gates * h, h}, {gates * h}, {gates * h}} do
        list[i] = (tocha.randn(shape) * 0.3):double():requires_grad_()
    end
    return list
end

--- A recurrent network of one layer from the definition of its cell.
local steps = {}

function steps.lstm(x, state, w)
    local i, f, g, o = table.unpack((x:matmul(w[1]:t()) + w[3] + state[1]:matmul(w[2]:t()) + w[4]):chunk(4, 2))
    local c = f:sigmoid() * state[2] + i:sigmoid() * g:tanh()
    return {o:sigmoid() * c:tanh(), c}
end

function steps.gru(x, state, w)
    local xr, xz, xn = table.unpack((x:matmul(w[1]:t()) + w[3]):chunk(3, 2))
    local hr, hz, hn = table.unpack((state[1]:matmul(w[2]:t()) + w[4]):chunk(3, 2))
    local z, n = (xz + hz):sigmoid(), (xn + (xr + hr):sigmoid() * hn):tanh()
    return {(1 - z) * n + z * state[1]}
end

function steps.rnn_tanh(x, state, w)
    return {(x:matmul(w[1]:t()) + w[3] + state[1]:matmul(w[2]:t()) + w[4]):tanh()}
end

function steps.rnn_relu(x, state, w)
    return {(x:matmul(w[1]:t()) + w[3] + state[1]:matmul(w[2]:t()) + w[4]):relu()}
end

local gates = {lstm = 4, gru = 3, rnn_tanh = 1, rnn_relu = 1}

describe("a recurrent network", function()
    it("does what its cell does step after step, in tasks and at once, forward and backward", function()
        tocha.manual_seed(8)
        for name, step in pairs(steps) do
            local w = weights(gates[name], 7, 9)
            local x = tocha.randn(6, 40, 7):double():requires_grad_()
            local h = tocha.randn(1, 40, 9):double():requires_grad_()
            local c = tocha.randn(1, 40, 9):double():requires_grad_()
            local results = {tocha[name](x, name == "lstm" and {h, c} or h, w)}
            local state, outputs = {h[1], c[1]}, {}
            for t = 1, 6 do
                state = step(x[t], state, w)
                outputs[t] = state[1]
            end
            local expected = tocha.stack(outputs)
            assert.is_true(close(results[1], expected, 1e-12), name)
            assert.is_true(close(results[2][1], state[1], 1e-12), name)
            local leaves = {x, h, table.unpack(w)}
            if name == "lstm" then
                assert.is_true(close(results[3][1], state[2], 1e-12))
                leaves[#leaves + 1] = c
            end
            local g = tocha.randn(6, 40, 9):double()
            local function loss(y, last)
                return (y * g):sum() + (last * last):sum()
            end
            local grads = tocha.grad(loss(results[1], results[#results][1]), leaves, {retain_graph = true})
            local stepwise = tocha.grad(loss(results[1], results[#results][1]), leaves, {create_graph = true})
            for i, whole in ipairs(tocha.grad(loss(expected, state[#state]), leaves)) do
                assert.is_true(close(grads[i], whole, 1e-10), name)
                assert.is_true(close(stepwise[i], whole, 1e-10), name)
            end
        end
    end)

    it("goes both ways and through layers", function()
        tocha.manual_seed(9)
        local there, back, above = weights(3, 4, 5), weights(3, 4, 5), {weights(3, 10, 5), weights(3, 10, 5)}
        local x, h = tocha.randn(7, 2, 4):double(), tocha.zeros(4, 2, 5):double()
        local all = {}
        for _, list in ipairs {there, back, above[1], above[2]} do
            table.move(list, 1, 4, #all + 1, all)
        end
        local y, last = tocha.gru(x, h, all, true, 2, 0.0, false, true)
        local first = h:narrow(1, 1, 1)
        local function both(input, one, other)
            return tocha.cat({(tocha.gru(input, first, one)), (tocha.gru(input:flip(1), first, other)):flip(1)}, 3)
        end
        local lower = both(x, there, back)
        assert.is_true(close(y, both(lower, above[1], above[2]), 1e-12))
        assert.equal("4x2x5", tostring(last.shape))
        assert.is_true(close(last[2], lower[1]:narrow(2, 6, 5), 1e-12))
        local turned = tocha.gru(x:transpose(1, 2), h, all, true, 2, 0.0, false, true, true)
        assert.is_true(close(turned:transpose(1, 2), y, 1e-12))
    end)

    it("drops between layers in training alone", function()
        tocha.manual_seed(10)
        local w = weights(1, 4, 4)
        local twice = {table.unpack(w)}
        table.move(w, 1, 4, 5, twice)
        local x, h = tocha.randn(5, 3, 4):double(), tocha.zeros(2, 3, 4):double()
        local plain = tocha.rnn_tanh(x, h, twice, true, 2, 0.5, false)
        assert.is_true(tocha.rnn_tanh(x, h, twice, true, 2, 0.5, false) == plain)
        assert.is_false(tocha.rnn_tanh(x, h, twice, true, 2, 0.5, true) == plain)
    end)

    it("says what does not fit", function()
        local w, h = weights(4, 2, 3), tocha.zeros(1, 1, 3):double()
        assert.equal("lstm: hx must be a list of two tensors, the state and the cell state, got 1",
            message(tocha.lstm, tocha.zeros(2, 1, 2):double(), {h}, w))
        assert.equal('lstm: input is float32 and the state is float64; convert one with :to("float32")',
            message(tocha.lstm, tocha.zeros(2, 1, 2), {h, h}, w))
        assert.equal("gru: w_ih must have shape 9x2, got 12x2",
            message(tocha.gru, tocha.zeros(2, 1, 2):double(), h, w))
    end)
end)
