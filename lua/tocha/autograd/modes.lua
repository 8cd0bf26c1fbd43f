--- Switches: recording, inference mode, anomaly mode. As no_grad(f, ...) for a function, whose results they give, and
--- as local guard <close> = no_grad() for a block. They follow the coroutine: what one switches holds in it and in
--- what it resumes, not outside while it is suspended.

local core = require "tocha.core"

local modes = {}

local no_grad, enable_grad, inference_mode = core.no_grad, core.enable_grad, core.inference_mode
local set_grad_enabled, is_grad_enabled = core.set_grad_enabled, core.is_grad_enabled
local is_inference_mode_enabled = core.is_inference_mode_enabled
local detect_anomaly, set_detect_anomaly = core.detect_anomaly, core.set_detect_anomaly
local is_anomaly_enabled = core.is_anomaly_enabled

--- Runs f(...) without recording: its results need no gradients, and nothing is kept for them. Gives f's results.
--- Without f, a guard for a block: local guard <close> = tocha.no_grad().
--- > local w = tocha.ones(2, {requires_grad = true}); return tocha.no_grad(function() return w * 2 end).requires_grad
--- false
function modes.no_grad(...)
    return no_grad(...)
end

--- Runs f(...) with recording, also inside no_grad (but not inside inference_mode). Gives f's results. Without f, a
--- guard for a block.
--- > tocha.no_grad(function() return tocha.enable_grad(tocha.is_grad_enabled) end)
--- true
function modes.enable_grad(...)
    return enable_grad(...)
end

--- Runs f(...) without recording, and so that its tensors can never be part of a graph: to save them for a backward,
--- to write into them later or to let them require grad is an error. Gives f's results. Without f, a guard for a block.
--- > tocha.inference_mode(function() return tocha.ones(2) * 2 end):is_inference()
--- true
function modes.inference_mode(...)
    return inference_mode(...)
end

--- set_grad_enabled(on, f, ...) runs f(...) with recording on or off and gives its results. set_grad_enabled(on)
--- switches until the function or guard around it ends, or for good outside one; what it gives back switches back when
--- it is closed: local guard <close> = tocha.set_grad_enabled(false).
--- > tocha.set_grad_enabled(false, tocha.is_grad_enabled)
--- false
function modes.set_grad_enabled(...)
    return set_grad_enabled(...)
end

--- Whether operators are recorded.
--- > tocha.is_grad_enabled()
--- true
function modes.is_grad_enabled()
    return is_grad_enabled()
end

--- Whether inference_mode is on.
--- > tocha.inference_mode(tocha.is_inference_mode_enabled)
--- true
function modes.is_inference_mode_enabled()
    return is_inference_mode_enabled()
end

--- Runs f(...) in anomaly mode: the first operator that makes a nan or an infinity out of finite numbers is an error at
--- its line, and so is, in a backward, the first gradient that is not finite; that error names the operator and the
--- line that recorded it. Slow: every result is looked at. Gives f's results. Without f, a guard for a block.
--- > _, problem = pcall(tocha.autograd.detect_anomaly, function() return tocha.zeros(1):log() end)
--- > problem
--- example:1: log: anomaly: 0 nan and 1 inf in the result (float32 1), made of finite numbers
function modes.detect_anomaly(...)
    return detect_anomaly(...)
end

--- Switches anomaly mode (see detect_anomaly) on or off, until the function or guard around it ends.
function modes.set_detect_anomaly(on)
    return set_detect_anomaly(on)
end

--- Whether anomaly mode is on.
--- > tocha.autograd.detect_anomaly(tocha.autograd.is_anomaly_enabled)
--- true
function modes.is_anomaly_enabled()
    return is_anomaly_enabled()
end

return modes
