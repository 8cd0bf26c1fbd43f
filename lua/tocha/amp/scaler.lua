--- GradScaler: small gradients survive float16 when the loss is multiplied first.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local GradScaler = {}
GradScaler.__index = GradScaler
GradScaler.__name = "GradScaler"

local spec = {
    {"init_scale", "positive", 65536.0},
    {"growth_factor", "positive", 2.0},
    {"backoff_factor", "positive", 0.5},
    {"growth_interval", "count", 2000},
    {"enabled", "boolean", true},
}
local largest = 3.4028234663852886e38 -- of float32, in which losses are scaled

local FRESH, UNSCALED, STEPPED = "fresh", "unscaled", "stepped"

--- Scales losses so that gradients do not vanish in float16, and skips the steps whose gradients have overflowed:
---
---     local scaler = tocha.amp.GradScaler()
---     for x, y in batches do
---         optimizer:zero_grad()
---         local loss = tocha.autocast("cuda", function() return lossf(net(x), y) end)
---         scaler:scale(loss):backward()
---         scaler:step(optimizer)
---         scaler:update()
---     end
---
--- Options: init_scale (65536), growth_factor (2), backoff_factor (0.5), growth_interval (2000: after so many steps
--- without an overflow the scale grows), enabled (true). bfloat16 needs no scaler.
--- > w, s = tocha.ones(2, {requires_grad = true}), tocha.amp.GradScaler {init_scale = 8}
--- > o = require("optim").SGD({w}, {lr = 0.5})
--- > s:scale(w:sum()):backward(); s:step(o); s:update(); return w:detach()
--- tensor({0.5000, 0.5000})
function GradScaler.new(...)
    local given = options.read("GradScaler", spec, ...)
    if given.growth_factor <= 1 then
        raise("GradScaler: growth_factor must be above 1, got %s", given.growth_factor)
    elseif given.backoff_factor >= 1 then
        raise("GradScaler: backoff_factor must be below 1, got %s", given.backoff_factor)
    end
    return setmetatable({
        _scale = given.init_scale + 0.0, _tracker = 0, _enabled = given.enabled, _states = {},
        _growth_factor = given.growth_factor, _backoff_factor = given.backoff_factor,
        _growth_interval = given.growth_interval,
    }, GradScaler)
end

--- The loss (or a list of losses) times the scale.
function GradScaler:scale(outputs)
    if not self._enabled then
        return outputs
    elseif core.is_tensor(outputs) then
        return outputs * self._scale
    elseif type(outputs) ~= "table" then
        raise("GradScaler.scale: outputs must be a tensor or a list of tensors, got %s", options.describe(outputs))
    end
    local list = {}
    for i, output in ipairs(outputs) do
        list[i] = self:scale(output)
    end
    return list
end

function GradScaler:_state(optimizer)
    local state = self._states[optimizer]
    if not state then
        state = {stage = FRESH, found = {}}
        self._states[optimizer] = state
    end
    return state
end

--- The gradients of an optimizer's parameters, by device.
local function gradients(optimizer)
    local by_device = {}
    for _, group in ipairs(optimizer.param_groups) do
        for _, p in ipairs(group.params) do
            local g = p.grad
            if g then
                local list = by_device[g.device] or {}
                by_device[g.device] = list
                list[#list + 1] = g
            end
        end
    end
    return by_device
end

--- Divides the gradients of an optimizer's parameters by the scale, so that they can be clipped or looked at before
--- step. Once between two calls of update; step does it if it was not done. The device looks for infs and nans on the
--- way; nothing waits for it.
function GradScaler:unscale_(optimizer)
    if not self._enabled then
        return
    end
    local state = self:_state(optimizer)
    if state.stage ~= FRESH then
        raise("GradScaler.unscale_: %s has been called for this optimizer since the last update",
            state.stage == UNSCALED and "it" or "step")
    end
    core.no_grad(function()
        for device, grads in pairs(gradients(optimizer)) do
            local found = core.zeros(1, {device = device})
            core.amp_unscale(found, grads, 1 / self._scale)
            state.found[#state.found + 1] = found
        end
    end)
    state.stage = UNSCALED
end

--- optimizer:step(...), unless a gradient is inf or nan. Gives what that gives. Waits for the device once, to know.
function GradScaler:step(optimizer, ...)
    if not self._enabled then
        return optimizer:step(...)
    end
    local state = self:_state(optimizer)
    if state.stage == STEPPED then
        raise("GradScaler.step: it has been called for this optimizer since the last update")
    elseif state.stage == FRESH then
        self:unscale_(optimizer)
    end
    if #state.found == 0 then
        raise("GradScaler.step: no parameter of the optimizer has a gradient")
    end
    state.stage, state.overflow = STEPPED, false
    for _, found in ipairs(state.found) do
        state.overflow = state.overflow or found:item() ~= 0
    end
    if not state.overflow then
        return optimizer:step(...)
    end
end

--- Ends the iteration: the scale shrinks if a gradient has overflowed, and grows after growth_interval iterations in
--- which none has. With a number, that is the new scale.
function GradScaler:update(new_scale)
    if not self._enabled then
        return
    end
    local seen, overflow = false, false
    for _, state in pairs(self._states) do
        for _, found in ipairs(state.found) do
            seen = true
            overflow = overflow or state.overflow or state.overflow == nil and found:item() ~= 0
        end
    end
    self._states = {}
    if new_scale then
        if type(new_scale) ~= "number" or new_scale <= 0 then
            raise("GradScaler.update: new_scale must be a number above 0, got %s", options.describe(new_scale))
        end
        self._scale = new_scale + 0.0
    elseif not seen then
        raise("GradScaler.update: neither step nor unscale_ was called since the last update")
    elseif overflow then
        self._scale, self._tracker = self._scale * self._backoff_factor, 0
    else
        self:_grow()
    end
end

function GradScaler:_grow()
    self._tracker = self._tracker + 1
    if self._tracker == self._growth_interval then
        local larger = self._scale * self._growth_factor
        self._scale, self._tracker = larger <= largest and larger or self._scale, 0
    end
end

--- The present scale; 1 where the scaler is not enabled.
function GradScaler:get_scale()
    return self._enabled and self._scale or 1.0
end

--- Whether it does anything.
function GradScaler:is_enabled()
    return self._enabled
end

local kept = {
    scale = "_scale", growth_factor = "_growth_factor", backoff_factor = "_backoff_factor",
    growth_interval = "_growth_interval", _growth_tracker = "_tracker",
}

--- What load_state_dict needs to go on: scale, growth_factor, backoff_factor, growth_interval, _growth_tracker; empty
--- where the scaler is not enabled.
function GradScaler:state_dict()
    local dict = {}
    for name, field in pairs(self._enabled and kept or {}) do
        dict[name] = self[field]
    end
    return dict
end

--- Takes over what state_dict gave.
function GradScaler:load_state_dict(dict)
    if not self._enabled then
        return
    end
    for name in pairs(kept) do
        if type(dict) ~= "table" or type(dict[name]) ~= "number" then
            raise("GradScaler.load_state_dict: the state has no %s; it must come from an enabled scaler's state_dict",
                name)
        end
    end
    for name, field in pairs(kept) do
        self[field] = dict[name]
    end
end

return GradScaler
