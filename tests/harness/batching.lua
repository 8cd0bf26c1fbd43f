--- What the harness checks of vmap: an operator mapped over samples gives what it gives for one sample after another,
--- and so do its gradients.

local tocha = require "tocha"
local cases = require "tests.harness.cases"
local compare = require "tests.harness.compare"
local gradients = require "tests.harness.gradients"
local signature = require "tests.harness.signature"

local batching = {}

local SAMPLES = 3

local quick = os.getenv("TOCHA_QUICK") == "1"

--- Whether results of the operator can be compared: not of random ones, of memory as it is, or of such as write.
function batching.apply(op)
    if not op.entry or op.row.random or op.name:find("^empty") or op.name:find("^new_empty") then
        return false
    end
    for _, parameter in ipairs(op.parameters) do
        if parameter.written then
            return false
        end
    end
    return true
end

local function pick_dtype(sample)
    local best = sample.dtypes_run[1]
    for _, dtype in ipairs(sample.dtypes_run) do
        best = (dtype == "float64" or dtype == "float32" and best ~= "float64") and dtype or best
    end
    return best
end

--- Where tensors stand among the arguments: a list of {name, position in a list or nil}. A complex number in the place
--- of a number is none.
local function places_of(op, args)
    local places = {}
    for name, value in pairs(args) do
        if not signature.takes_tensors(op.parameters[name]) then
            goto continue
        end
        if tocha.is_tensor(value) then
            places[#places + 1] = {name}
        elseif type(value) == "table" then
            for i, item in ipairs(value) do
                if tocha.is_tensor(item) then
                    places[#places + 1] = {name, i}
                end
            end
        end
        ::continue::
    end
    table.sort(places, function(a, b)
        return a[1] < b[1] or a[1] == b[1] and (a[2] or 0) < (b[2] or 0)
    end)
    return places
end

local function read_place(args, place)
    return place[2] and args[place[1]][place[2]] or args[place[1]]
end

--- A copy of the arguments with tensors in the places.
local function with_tensors(args, places, tensors)
    local copy = {}
    for name, value in pairs(args) do
        copy[name] = type(value) == "table" and not getmetatable(value) and table.move(value, 1, #value, 1, {}) or value
    end
    for k, place in ipairs(places) do
        if place[2] then
            copy[place[1]][place[2]] = tensors[k]
        else
            copy[place[1]] = tensors[k]
        end
    end
    return copy
end

--- The tensor as sample number s has it: floats shrink a little, which keeps signs, ranges and ranks.
local function varied(t, s, vary)
    local floats = t:is_floating_point() or t:is_complex()
    return floats and vary and s > 1 and (t * (1 - 0.0625 * (s - 1))):to(t.dtype) or t
end

--- The same call for one sample after another: a list of lists of results, or nil and an error.
local function one_by_one(sample, args, places, stacked, mapped)
    local all = {}
    for s = 1, SAMPLES do
        local tensors = {}
        for k in ipairs(places) do
            tensors[k] = mapped[k] and stacked[k][s]:clone() or stacked[k]
        end
        local ok, results = pcall(cases.call, sample.op, with_tensors(args, places, tensors))
        if not ok then
            return nil, results
        end
        all[s] = results
    end
    return all
end

local function same_shapes(all)
    for s = 2, SAMPLES do
        for k, y in ipairs(all[s]) do
            if tostring(y.shape) ~= tostring(all[1][k].shape) then
                return false
            end
        end
    end
    return true
end

local function stack_results(all, k)
    local list = {}
    for s = 1, SAMPLES do
        list[s] = all[s][k]
    end
    return tocha.stack(list)
end

local function map(sample, args, places, stacked, mapped, dim)
    local in_dims, given = {}, {}
    for k, t in ipairs(stacked) do
        in_dims[k] = mapped[k] and dim or false
        given[k] = mapped[k] and t:movedim(1, dim) or t
    end
    local f = tocha.func.vmap(function(...)
        return table.unpack(cases.call(sample.op, with_tensors(args, places, {...})))
    end, {in_dims = in_dims})
    return {f(table.unpack(given))}
end

--- The sum of all float results with weights, and its gradients by the tensors.
local function gradients_of(results, leaves)
    local total
    for k, y in ipairs(results) do
        if y:is_floating_point() and y.requires_grad then
            local angles = tocha.arange(math.max(y:numel(), 1)):to("float64"):narrow(1, 1, y:numel()) + k
            local term = (y * angles:cos():view(y.shape)):sum()
            total = total and total + term or term
        end
    end
    return total and tocha.grad(total, leaves, {materialize_grads = true})
end

--- Compares gradients of the mapped call with those of single calls. Returns nil or a text.
local function compare_gradients(sample, args, places, stacked, mapped)
    local leaves, own = {}, {}
    for k, t in ipairs(stacked) do
        own[k] = t.dtype == "float64" and t:detach():clone():requires_grad_() or t
        leaves[#leaves + 1] = own[k].requires_grad and own[k] or nil
    end
    if #leaves == 0 then
        return nil
    end
    local all = assert(one_by_one(sample, args, places, own, mapped))
    local joined = {}
    for k in ipairs(all[1]) do
        joined[k] = stack_results(all, k)
    end
    local differentiable, expected = pcall(gradients_of, joined, leaves)
    if not differentiable then
        assert(tostring(expected):find("differentiable", 1, true), expected)
        return nil
    end
    local ok, results = pcall(map, sample, args, places, own, mapped, 1)
    if not ok and tostring(results):find("random numbers inside vmap", 1, true) then
        return nil
    end
    local got = gradients_of(ok and results or error(results, 0), leaves)
    if not expected or not got then
        return (expected or got) and "gradients flow only one way" or nil
    end
    for i, g in ipairs(got) do
        local problem = compare.close(g, expected[i], {rtol64 = 1e-9})
        if problem then
            return ("gradient %d: %s"):format(i, problem)
        end
    end
end

--- Compares one mapped call. Returns nil or a text.
local function check_call(sample, args, places, stacked, mapped, dim)
    local all, problem = one_by_one(sample, args, places, stacked, mapped)
    if not all then
        return "one by one: " .. tostring(problem)
    end
    local ok, results = pcall(map, sample, args, places, stacked, mapped, dim)
    if not ok and tostring(results):find("random numbers inside vmap", 1, true) then
        return nil
    elseif not same_shapes(all) then
        local told = not ok and tostring(results):find("must have one shape", 1, true)
        return not told and "results of several shapes: " .. tostring(results) or nil
    elseif not ok then
        return tostring(results)
    end
    for k in ipairs(all[1]) do
        local found = compare.close(results[k], stack_results(all, k), {rtol64 = 1e-9})
        if found then
            return ("result %d: %s"):format(k, found)
        end
    end
    return nil
end

--- Which of n tensors are mapped, in turn: all, each alone.
local function choices(n)
    local list = {{}}
    for k = 1, n do
        list[1][k] = true
        if n > 1 then
            list[k + 1] = {[k] = true}
        end
    end
    return list
end

local function any_of(mapped)
    for _, is in pairs(mapped) do
        if is then
            return true
        end
    end
    return false
end

local function check_sample(sample, found)
    local args = cases.build(sample, pick_dtype(sample))
    local places = places_of(sample.op, args)
    for number, mapped in ipairs(#places > 0 and choices(#places) or {}) do
        local stacked
        for _, vary in ipairs {true, false} do
            stacked = {}
            for k, place in ipairs(places) do
                local t, list = read_place(args, place), {}
                for s = 1, SAMPLES do
                    list[s] = varied(t, s, vary)
                end
                stacked[k] = mapped[k] and t:dim() < 8 and tocha.stack(list) or t
                mapped[k] = mapped[k] and t:dim() < 8
            end
            if one_by_one(sample, args, places, stacked, mapped) then
                break
            end
        end
        if any_of(mapped) and one_by_one(sample, args, places, stacked, mapped) then
            local where = ("%s, choice %d"):format(sample.key, number)
            found:try(where, check_call, sample, args, places, stacked, mapped, number == 1 and 1 or -1)
            if not quick and gradients.apply(sample.op) and sample.grad ~= false then
                found:try(where .. ", gradients", compare_gradients, sample, args, places, stacked, mapped)
            end
        end
    end
end

--- Compares the operator mapped over samples with single calls.
function batching.check(op, found)
    for _, sample in ipairs(op.samples) do
        if sample.args and #sample.dtypes_run > 0 then
            check_sample(sample, found)
        end
    end
end

--- Whether the operator takes tensors in some sample.
function batching.takes_tensors(op)
    local any = false
    for _, sample in ipairs(op.samples) do
        cases.each_spec(sample, function(spec) any = any or spec.kind ~= "number" end)
    end
    return any
end

return batching
