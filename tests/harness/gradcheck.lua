--- Checks gradients, and gradients of gradients, against central differences.
---
--- Outputs are projected to one number with fixed weights, which no wrong gradient survives but by chance.

local tocha = require "tocha"
local compare = require "tests.harness.compare"

local gradcheck = {}

local STEP = 1e-5

--- The weights of output number k: the same as in tests/reference/generate.py.
function gradcheck.weights(t, k)
    if t:numel() == 0 then
        return tocha.zeros(t.shape, {dtype = "float64", device = t.device})
    end
    local angles = tocha.arange(t:numel()):to {dtype = "float64", device = t.device} + (k - 1)
    return angles:cos():view(t.shape)
end

--- Whether gradients flow through tensors of t's dtype.
local function is_inexact(t)
    return compare.is_inexact(t.dtype)
end

--- A complex tensor's parts, any other tensor itself: gradients are checked by each part.
local function parts(t)
    return t:is_complex() and tocha.view_as_real(t) or t
end

--- The sum of all outputs' elements with their weights, of complex ones their parts with weights of their own; nil if
--- there are none but integers. only: that output alone.
function gradcheck.project(outputs, only)
    local total
    for k, t in ipairs(outputs) do
        if is_inexact(t) and (not only or only == k) then
            t = parts(t)
            local term = (t * gradcheck.weights(t, k)):sum()
            total = total and total + term or term
        end
    end
    return total
end

--- Gradients of the projected outputs of f by inputs; zeros where no gradient flows.
function gradcheck.analytic(f, inputs, only)
    local total = gradcheck.project({f(table.unpack(inputs))}, only)
    local grads = {}
    if total and total.requires_grad then
        local wanted = {}
        for _, x in ipairs(inputs) do
            wanted[#wanted + 1] = x.requires_grad and x or nil
        end
        local found = tocha.grad(total, wanted, {allow_unused = true})
        local n = 0
        for i, x in ipairs(inputs) do
            n = x.requires_grad and n + 1 or n
            grads[i] = x.requires_grad and found[n] or nil
        end
    end
    for i, x in ipairs(inputs) do
        grads[i] = grads[i] or tocha.zeros_like(x)
    end
    return grads
end

local function value(f, inputs)
    return gradcheck.project({f(table.unpack(inputs))}):item()
end

--- The central difference by every element of input number i, of a complex one by every part.
local function numeric(f, inputs, i)
    local elements = parts(inputs[i]:detach()):view(-1)
    local slopes = {}
    for k = 1, elements:numel() do
        local before = elements[k]:item()
        elements[k] = before + STEP
        local above = value(f, inputs)
        elements[k] = before - STEP
        slopes[k] = (above - value(f, inputs)) / (2 * STEP)
        elements[k] = before
    end
    return slopes
end

local function largest(list)
    local most = 0
    for _, v in ipairs(list) do
        most = math.max(most, math.abs(v))
    end
    return most
end

local function compare_slopes(grad, slopes, what)
    local got = compare.flat(grad)
    local allowed = 1e-6 * (1 + largest(slopes))
    for k, expected in ipairs(slopes) do
        local agrees = math.abs(got[k] - expected) <= allowed + 1e-5 * math.abs(expected)
        if not agrees then
            return ("%s: element %d is %.12g, differences give %.12g"):format(what, k, got[k], expected)
        end
    end
    return nil
end

--- Checks the gradients of f by inputs, contiguous float64 or complex128 leaves. Returns nil, or a text that says what
--- is wrong.
function gradcheck.first(f, inputs)
    local ok, grads = pcall(gradcheck.analytic, f, inputs)
    if not ok then
        return tostring(grads)
    end
    if not gradcheck.project({f(table.unpack(inputs))}) then
        return "no output is of a float or complex dtype"
    end
    for i, x in ipairs(inputs) do
        local shape = tostring(x.shape)
        if tostring(grads[i].shape) ~= shape or grads[i].dtype ~= x.dtype then
            local text = "gradient %d is %s %s, expected %s %s"
            return text:format(i, grads[i].dtype, grads[i].shape, x.dtype, shape)
        end
        local problem = compare_slopes(grads[i], numeric(f, inputs, i), "gradient " .. i)
        if problem then
            return problem
        end
    end
    return nil
end

--- With only one of the inputs needing a gradient, or one of the outputs used, gradients must be the same: what is
--- not asked for may be left out, but nothing else may change. Returns nil or a text.
function gradcheck.parts(f, inputs, n_outputs)
    local all = gradcheck.analytic(f, inputs)
    for i in ipairs(inputs) do
        local detached = {}
        for j, other in ipairs(inputs) do
            detached[j] = i == j and other or other:detach()
        end
        local alone = gradcheck.analytic(f, detached)
        local problem = compare.close(alone[i], all[i], {rtol64 = 1e-9})
        if problem then
            return ("gradient %d alone: %s"):format(i, problem)
        end
    end
    local sums = {}
    for k = 1, n_outputs > 1 and n_outputs or 0 do
        for i, grad in ipairs(gradcheck.analytic(f, inputs, k)) do
            sums[i] = sums[i] and sums[i] + grad or grad
        end
    end
    for i, sum in ipairs(sums) do
        local problem = compare.close(sum, all[i], {rtol64 = 1e-9})
        if problem then
            return ("gradient %d, from the outputs one by one: %s"):format(i, problem)
        end
    end
    return nil
end

--- Checks the gradients of f's gradients by inputs and by the gradients that come in.
function gradcheck.second(f, inputs)
    local n = #inputs
    local outputs, all, places = {f(table.unpack(inputs))}, {table.unpack(inputs)}, {}
    for k, t in ipairs(outputs) do
        if is_inexact(t) and t.requires_grad then
            local weights = gradcheck.weights(parts(t), k)
            weights = t:is_complex() and tocha.view_as_complex(weights) or weights
            all[#all + 1] = weights:detach():clone():requires_grad_()
            places[#places + 1] = k
        end
    end
    if #places == 0 then
        return nil
    end
    local function gradient(...)
        local given = {...}
        local results = {f(table.unpack(given, 1, n))}
        local chosen, leaves = {}, {table.unpack(given, 1, n)}
        for i, k in ipairs(places) do
            chosen[i] = results[k]
        end
        local options = {grad_outputs = {table.unpack(given, n + 1)}, create_graph = true, allow_unused = true}
        local grads, found = tocha.grad(chosen, leaves, options), {}
        for i = 1, n do
            found[#found + 1] = grads[i]
        end
        return table.unpack(found)
    end
    if select("#", gradient(table.unpack(all))) == 0 then
        return nil
    end
    return gradcheck.first(gradient, all)
end

return gradcheck
