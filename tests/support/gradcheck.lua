--- Gradients against finite differences, in float64.

local tocha = require "tocha"

local gradcheck = {}

local step = 1e-5

local function leaves(inputs)
    local list = {}
    for i, t in ipairs(inputs) do
        list[i] = t:detach():clone():requires_grad_()
    end
    return list
end

--- Weights that differ from element to element, so that no two errors cancel.
local function weighted_sum(t, turn)
    local n = t:numel()
    local weights = (tocha.arange(n):to("float64") * 0.7 + turn):sin() + 1.3
    return (t:reshape(n) * weights):sum()
end

local function value(fn, inputs)
    local total = 0
    for i, t in ipairs(fn(inputs)) do
        total = total + weighted_sum(t, i):item()
    end
    return total
end

local function difference(fn, inputs, k, at)
    local results = {}
    for sign = -1, 1, 2 do
        local moved = leaves(inputs)
        local flat = inputs[k]:contiguous():reshape(inputs[k]:numel()):clone()
        flat[at] = flat[at] + sign * step
        moved[k] = flat:reshape(inputs[k].shape):detach():requires_grad_()
        results[sign] = value(fn, moved)
    end
    return (results[1] - results[-1]) / (2 * step)
end

--- Gradients of the weighted sum of what fn(inputs), a list, gives.
local function gradients(fn, inputs, create_graph)
    local total
    for i, t in ipairs(fn(inputs)) do
        local part = weighted_sum(t, i)
        total = total and total + part or part
    end
    return tocha.grad(total, inputs, {create_graph = create_graph})
end

local function compare(fn, inputs, name, tolerance)
    local start = leaves(inputs)
    for k, g in ipairs(gradients(fn, start, false)) do
        local flat = g:reshape(g:numel()):tolist()
        for at, found in ipairs(flat) do
            local expected = difference(fn, inputs, k, at)
            local far = math.abs(expected - found) > tolerance * math.max(1, math.abs(expected))
            if far or found ~= found then
                error(("%s: input %d, element %d: expected %.9g, got %.9g"):format(name, k, at,
                    expected, found), 3)
            end
        end
    end
end

--- Checks the gradient and the gradient of the gradient of fn(table.unpack(inputs)), which returns a
--- float64 tensor and is smooth around inputs (float64 tensors).
--- Raises an error that names the first element off.
function gradcheck.check(fn, inputs)
    local function outputs(list)
        return {fn(table.unpack(list))}
    end
    compare(outputs, inputs, "gradient", 1e-6)
    compare(function(list)
        return gradients(outputs, list, true)
    end, inputs, "second gradient", 1e-5)
end

return gradcheck
