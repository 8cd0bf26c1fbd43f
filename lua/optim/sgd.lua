local core = require "tocha.core"
local raise = require "tocha.raise"

local class = require("optim.optimizer").class

local spec = {
    {"lr", "rate", 0.001},
    {"momentum", "rate", 0},
    {"dampening", "number", 0},
    {"weight_decay", "rate", 0},
    {"nesterov", "boolean", false},
    {"maximize", "boolean", false},
}

local function check(who, group)
    if group.nesterov and (group.momentum == 0 or group.dampening ~= 0) then
        raise("%s: nesterov needs momentum above 0 and dampening 0, got momentum %s, dampening %s", who, group.momentum,
            group.dampening)
    end
end

--- Stochastic gradient descent: SGD(net:parameters(), {lr = 0.1, momentum = 0.9}).
--- Options: lr (0.001), momentum (0), dampening (0), weight_decay (0), nesterov (false), maximize (false), as in
--- tocha.sgd_step; nesterov momentum after Sutskever et al., ICML 2013.
local SGD = class("SGD", spec, check)

function SGD:update(group, params, grads, states)
    local buffers, steps
    if group.momentum ~= 0 then
        buffers, steps = {}, {}
        for i, p in ipairs(params) do
            local buffer = states[i].momentum_buffer
            steps[i] = buffer and 2 or 1
            buffers[i] = buffer or self:zeros(p, "momentum_buffer")
        end
    end
    core.sgd_step(params, grads, buffers, group.lr, group.momentum, group.dampening, group.weight_decay, group.nesterov,
        group.maximize, steps)
    for i, buffer in ipairs(buffers or {}) do
        states[i].momentum_buffer = buffer
    end
end

--- Raises an error unless a loaded state is one that update can go on with.
function SGD.check_state(who, state, position)
    local buffer = state.momentum_buffer
    if buffer ~= nil and not core.is_tensor(buffer) then
        raise("%s: momentum_buffer of parameter %d must be a tensor", who, position)
    end
end

return SGD
