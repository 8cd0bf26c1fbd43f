--- Memory for time: values that backward needs are computed again.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

--- Runs f(...) without saving what its gradients need; backward runs it once more for that, with the same random
--- numbers. f must do the same both times: an error says where it did not. Memory during the first run is that of its
--- results and arguments. Other tensors that f uses get their gradients too. Gives f's results. Inside vmap it is
--- nothing but f(...).
--- Chen, Xu, Zhang and Guestrin, Training Deep Nets with Sublinear Memory Cost, 2016.
--- > x = tocha.tensor({2.}):requires_grad_()
--- > tocha.autograd.checkpoint(function(v) return v:exp():log() end, x):backward(); return x.grad
--- tensor({1})
local function checkpoint(f, ...)
    if type(f) ~= "function" and not (type(f) == "table" and (getmetatable(f) or {}).__call) then
        raise("checkpoint: expected a function, got %s", options.describe(f))
    end
    if not core.is_grad_enabled() or core._vmap_depth() > 0 then
        return f(...)
    end
    local args, state = table.pack(...), core.get_rng_state()
    local function again()
        local now = core.get_rng_state()
        core.set_rng_state(state)
        local ok, problem = pcall(f, table.unpack(args, 1, args.n))
        core.set_rng_state(now)
        if not ok then
            error(problem, 0)
        end
    end
    return core._checkpoint(again, f, ...)
end

return checkpoint
