local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local class = require("optim.optimizer").class

local adam = {}

local function spec(weight_decay)
    return {
        {"lr", "rate", 0.001},
        {"betas", "table", {0.9, 0.999}},
        {"eps", "rate", 1e-8},
        {"weight_decay", "rate", weight_decay},
        {"amsgrad", "boolean", false},
        {"maximize", "boolean", false},
    }
end

local function check(who, group)
    local betas = group.betas
    for i = 1, 2 do
        if type(betas[i]) ~= "number" or betas[i] < 0 or betas[i] >= 1 or #betas ~= 2 then
            raise("%s: betas must be two numbers from 0, below 1, got %s", who,
                #betas == 2 and options.describe(betas[i]) or #betas .. " values")
        end
    end
    group.betas = {betas[1], betas[2]}
end

local function update(self, group, params, grads, states, decoupled)
    local means, squares, largest, steps = {}, {}, group.amsgrad and {} or nil, {}
    for i, p in ipairs(params) do
        local state = states[i]
        steps[i] = (state.step or 0) + 1
        means[i] = state.exp_avg or self:zeros(p, "exp_avg")
        squares[i] = state.exp_avg_sq or self:zeros(p, "exp_avg_sq")
        if largest then
            largest[i] = state.max_exp_avg_sq or self:zeros(p, "max_exp_avg_sq")
        end
    end
    core.adam_step(params, grads, means, squares, largest, steps, group.lr, group.betas[1], group.betas[2], group.eps,
        group.weight_decay, decoupled, group.maximize)
    for i, state in ipairs(states) do
        state.step, state.exp_avg, state.exp_avg_sq = steps[i], means[i], squares[i]
        state.max_exp_avg_sq = largest and largest[i] or state.max_exp_avg_sq
    end
end

--- Raises an error unless a loaded state is one that update can go on with.
local function check_state(who, state, position)
    if math.type(state.step) ~= "integer" or state.step < 0 then
        raise("%s: step of parameter %d must be a whole number, got %s", who, position, options.describe(state.step))
    end
    for _, name in ipairs {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"} do
        if not core.is_tensor(state[name]) and not (name == "max_exp_avg_sq" and state[name] == nil) then
            raise("%s: %s of parameter %d must be a tensor, got %s", who, name, position, options.describe(state[name]))
        end
    end
end

--- Adam (Kingma and Ba, ICLR 2015): Adam(net:parameters(), {lr = 0.001}).
--- Options: lr (0.001), betas ({0.9, 0.999}), eps (1e-8), weight_decay (0, added to the gradient), amsgrad (false),
--- maximize (false).
local Adam = class("Adam", spec(0), check)
adam.Adam = Adam
Adam.check_state = check_state

function Adam:update(group, params, grads, states)
    update(self, group, params, grads, states, false)
end

--- Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019): AdamW(net:parameters(), {lr = 0.001}).
--- Options: those of Adam; weight_decay (0.01) shrinks the parameters by lr * weight_decay before each step.
local AdamW = class("AdamW", spec(0.01), check)
adam.AdamW = AdamW
AdamW.check_state = check_state

function AdamW:update(group, params, grads, states)
    update(self, group, params, grads, states, true)
end

return adam
