--- What the harness checks of an operator's gradients, in float64 and complex128. Every function takes an operator
--- of cases.ops() and a report.

local tocha = require "tocha"
local cases = require "tests.harness.cases"
local compare = require "tests.harness.compare"
local export = require "tests.harness.export"
local gradcheck = require "tests.harness.gradcheck"
local layouts = require "tests.harness.layouts"
local references = require "tests.harness.references"
local values = require "tests.harness.values"

local gradients = {}

--- A small offset for every element, different for all leaves: away from kinks and ties, which stand on the grid.
local function off_the_grid(t, number)
    if t:numel() == 0 then
        return t
    end
    local steps = {}
    for i = 1, t:numel() do
        steps[i] = 0.0031 + 0.00017 * ((7 * i + 13 * number) % 89)
    end
    steps = tocha.tensor(steps, {dtype = "float64", device = t.device}):view(t.shape)
    return t + (t:is_complex() and tocha.complex(steps, 0.7 * steps) or steps)
end

--- The tensors of a sample that can take part in gradients: {name, spec, seed, place}; place: position in a list.
local function leaves_of(sample)
    local leaves = {}
    cases.each_spec(sample, function(spec, parameter, seed)
        local varies = not spec.dtype and spec.grad ~= false and spec.kind ~= "number" and not parameter.written
        if varies and (parameter.kind == "Tensor" or parameter.kind == "Tensors") then
            local place = seed:match("%.(%d+)$")
            leaves[#leaves + 1] = {
                name = parameter.name,
                key = place and parameter.name .. "." .. place or parameter.name,
                spec = spec,
                seed = seed,
                place = place and math.tointeger(tonumber(place)),
            }
        end
    end)
    return leaves
end

--- A function of the leaves that calls the operator, and the leaves' tensors. prepare(t, number) makes them; dtype:
--- float64 unless given.
local function as_function(sample, leaves, prepare, dtype)
    local inputs = {}
    dtype = dtype or "float64"
    for i, leaf in ipairs(leaves) do
        local t = leaf.spec:tensor(dtype, leaf.seed):to {device = cases.device}
        inputs[i] = prepare(t, i):detach():requires_grad_()
    end
    local function f(...)
        local args = cases.build(sample, dtype)
        for i, leaf in ipairs(leaves) do
            local given = select(i, ...)
            if leaf.place then
                args[leaf.name][leaf.place] = given
            else
                args[leaf.name] = given
            end
        end
        return table.unpack(cases.call(sample.op, args))
    end
    return f, inputs
end

local function runs(sample, wanted)
    for _, dtype in ipairs(sample.dtypes_run) do
        if dtype == wanted then
            return true
        end
    end
    return false
end

--- The dtypes of the sample in which gradients are checked, and how failures tell them.
local function wide_dtypes(sample)
    local list = {}
    if runs(sample, "float64") then
        list[1] = {"float64", ""}
    end
    if runs(sample, "complex128") and sample.complex_grad ~= false then
        list[#list + 1] = {"complex128", " complex128"}
    end
    return list
end

--- A function that runs the sample and its backward, or nil where the sample has no gradients.
function gradients.as_backward(sample)
    local leaves = leaves_of(sample)
    if not gradients.apply(sample.op) or sample.grad == false or not runs(sample, "float64") or #leaves == 0 then
        return nil
    end
    local f, inputs = as_function(sample, leaves, off_the_grid)
    return function()
        local total = gradcheck.project({f(table.unpack(inputs))})
        if total and total.requires_grad then
            tocha.grad(total, inputs, {allow_unused = true})
        end
    end
end

--- Whether the row says, or for a composed one may mean, that gradients flow.
function gradients.apply(op)
    local row = op.row
    if not op.entry or op.entry.no_grad or row.random or not (row.differentiable or row.class == "compose") then
        return false
    end
    for _, parameter in ipairs(op.parameters) do
        if parameter.kind == "Tensor" or parameter.kind == "Tensors" then
            return true
        end
    end
    return false
end

--- Calls visit(sample, leaves, dtype, name) for the samples and dtypes whose gradients are checked: with grad = false
--- none are, with complex_grad = false not those in complex128, with differences = false only against the reference,
--- with second = false only the first ones.
local function each(op, visit)
    for _, sample in ipairs(op.samples) do
        local leaves = not sample.error and sample.grad ~= false and leaves_of(sample) or {}
        for _, wide in ipairs(#leaves > 0 and wide_dtypes(sample) or {}) do
            visit(sample, leaves, wide[1], sample.key .. wide[2])
        end
    end
end

local function same(t)
    return t
end

local function run_reference(sample, leaves, dtype)
    local f, inputs = as_function(sample, leaves, same, dtype)
    local grads = gradcheck.analytic(f, inputs)
    for i, leaf in ipairs(leaves) do
        local expected = references.gradient(sample, leaf.key, dtype)
        local problem = expected and compare.close(grads[i], expected, {rtol64 = sample.rtol64 or 1e-9})
        if problem then
            return ("gradient of %s: %s"):format(leaf.key, problem)
        end
    end
    return nil
end

--- The gradients that PyTorch gives, on the samples' own values: with their kinks and ties.
function gradients.reference(op, report)
    each(op, function(sample, leaves, dtype, name)
        if export.has_reference(sample) then
            report:try(name, run_reference, sample, leaves, dtype)
        end
    end)
end

local function run_strided(sample, leaves, layout, dtype)
    local f, inputs = as_function(sample, leaves, same, dtype)
    local expected = gradcheck.analytic(f, inputs)
    local g, strided = as_function(sample, leaves, layout, dtype)
    local grads = gradcheck.analytic(g, strided)
    for i, leaf in ipairs(leaves) do
        local problem = compare.close(grads[i], expected[i], {rtol64 = 1e-11})
        if problem then
            return ("gradient of %s: %s"):format(leaf.key, problem)
        end
    end
    return nil
end

--- Central differences, each argument and output alone, and leaves with other strides.
function gradients.first(op, report)
    each(op, function(sample, leaves, dtype, name)
        report:try(name, function()
            local f, inputs = as_function(sample, leaves, off_the_grid, dtype)
            local n_outputs = select("#", f(table.unpack(inputs)))
            local problem = sample.differences ~= false and gradcheck.first(f, inputs) or nil
            return problem or gradcheck.parts(f, inputs, n_outputs)
        end)
        if sample.layouts == nil then
            report:try(name .. " transposed", run_strided, sample, leaves, layouts.transposed, dtype)
            report:try(name .. " sliced", run_strided, sample, leaves, layouts.sliced, dtype)
        end
    end)
end

--- Central differences of the gradients.
function gradients.second(op, report)
    each(op, function(sample, leaves, dtype, name)
        if sample.second ~= false and sample.differences ~= false then
            report:try(name, function()
                return gradcheck.second(as_function(sample, leaves, off_the_grid, dtype))
            end)
        end
    end)
end

--- The gradients of a in-place call on an intermediate: that of the plain form, whatever the intermediate's strides.
local function run_inplace(sample, leaves, layout, dtype)
    local first = sample.op.parameters[1].name
    local f, inputs = as_function(sample, leaves, off_the_grid, dtype)
    local expected = gradcheck.analytic(f, inputs)
    local function inplace(...)
        local args = cases.build(sample, dtype)
        for i, leaf in ipairs(leaves) do
            args[leaf.name] = select(i, ...)
        end
        local whole = layout(args[first] * 1)
        args[first] = whole
        return cases.call_inplace(sample.op, args)
    end
    local grads = gradcheck.analytic(inplace, inputs)
    for i, leaf in ipairs(leaves) do
        local problem = compare.close(grads[i], expected[i], {rtol64 = 1e-11})
        if problem then
            return ("gradient of %s: %s"):format(leaf.key, problem)
        end
    end
    return nil
end

local function fits(sample, leaves, dtype)
    if values.is_spec(sample.args[sample.op.parameters[1].name]) and leaves[1].name == sample.op.parameters[1].name then
        local args = cases.build(sample, dtype)
        local out = cases.call(sample.op, args)[1]
        local self = args[leaves[1].name]
        return tostring(out.shape) == tostring(self.shape) and out.dtype == self.dtype
    end
    return false
end

--- Gradients through the in-place form.
function gradients.inplace(op, report)
    each(op, function(sample, leaves, dtype, name)
        if fits(sample, leaves, dtype) then
            report:try(name .. " in place", run_inplace, sample, leaves, same, dtype)
            report:try(name .. " in place, transposed", run_inplace, sample, leaves, layouts.transposed, dtype)
        end
    end)
end

--- An operator without gradients gives results that need none.
function gradients.none(op, report)
    for _, sample in ipairs(op.samples) do
        if not sample.error and #wide_dtypes(sample) > 0 and #leaves_of(sample) > 0 then
            report:try(sample.key, function()
                local dtype = wide_dtypes(sample)[1][1]
                local f, inputs = as_function(sample, leaves_of(sample), same, dtype)
                for k, out in ipairs {f(table.unpack(inputs))} do
                    if out.requires_grad then
                        return ("output %d needs a gradient, but the row has none"):format(k)
                    end
                end
                return nil
            end)
        end
    end
end

--- Whether the row has no gradient though it takes float tensors.
function gradients.are_none(op)
    local row = op.row
    if not op.entry or row.class == "compose" or row.differentiable or row.random then
        return false
    end
    for _, sample in ipairs(op.samples) do
        if not sample.error and #wide_dtypes(sample) > 0 and #leaves_of(sample) > 0 then
            return true
        end
    end
    return false
end

return gradients
