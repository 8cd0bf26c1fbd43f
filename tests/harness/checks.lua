--- What the harness checks of an operator's values. Every function takes an operator of cases.ops() and a report.

local tocha = require "tocha"
local cases = require "tests.harness.cases"
local compare = require "tests.harness.compare"
local export = require "tests.harness.export"
local layouts = require "tests.harness.layouts"
local references = require "tests.harness.references"
local signature = require "tests.harness.signature"

local checks = {}

local quick = os.getenv("TOCHA_QUICK") == "1"

local quick_dtypes = {
    bool = true, uint8 = true, int32 = true, float16 = true, float32 = true, float64 = true, complex64 = true,
}

--- The dtypes of a sample that are run: fewer in a quick walk.
local function dtypes_of(sample)
    if not quick then
        return sample.dtypes_run
    end
    local list = {}
    for _, dtype in ipairs(sample.dtypes_run) do
        if quick_dtypes[dtype] then
            list[#list + 1] = dtype
        end
    end
    return list
end

local function tolerances(sample)
    local entry = sample.op.entry
    return {
        ulps = sample.ulps or entry.ulps,
        rtol = sample.rtol or entry.rtol,
        rtol64 = sample.rtol64 or entry.rtol64,
    }
end

--- Calls visit(sample, dtype) for every sample that succeeds and every dtype it runs in.
local function each_run(op, visit)
    for _, sample in ipairs(op.samples) do
        if not sample.error then
            for _, dtype in ipairs(dtypes_of(sample)) do
                visit(sample, dtype)
            end
        end
    end
end

--- Sizes that the result of a row without reference has; those of input unless the sample says.
local function unreferenced_shape(sample, args)
    if sample.shape then
        return sample.shape
    elseif args.input then
        return tostring(args.input.shape)
    end
    local size = args.size or {args.n}
    return #size == 0 and "scalar" or table.concat(size, "x")
end

local function check_unreferenced(sample, results, args, dtype)
    local out = results[1]
    local wanted = args.dtype or dtype
    if out.dtype ~= wanted or tostring(out.shape) ~= unreferenced_shape(sample, args) then
        return ("%s %s, expected %s %s"):format(out.dtype, out.shape, wanted, unreferenced_shape(sample, args))
    end
    return #results ~= sample.op.row.outputs and "wrong number of outputs" or nil
end

--- nil, or how the results differ from the sample's reference.
local function check_results(sample, results, args, dtype)
    if not export.has_reference(sample) then
        return check_unreferenced(sample, results, args, dtype)
    end
    local expected = references.expected(sample, dtype)
    if #results ~= #expected then
        return ("%d outputs, expected %d"):format(#results, #expected)
    end
    for i, e in ipairs(expected) do
        local out = results[i]
        if out.dtype ~= e.dtype or tostring(out.shape) ~= e.shape then
            return ("output %d is %s %s, expected %s %s"):format(i, out.dtype, out.shape, e.dtype, e.shape)
        end
        local problem = compare.elements(compare.flat(out), e.elements, e.dtype, tolerances(sample))
        if problem then
            return ("output %d: %s"):format(i, problem)
        end
    end
    return nil
end

--- nil, or which argument the call has changed though the row does not say so.
local function check_untouched(sample, args, before)
    for _, parameter in ipairs(sample.op.parameters) do
        local value = args[parameter.name]
        if tocha.is_tensor(value) and not parameter.written then
            local problem = compare.same(value, before[parameter.name])
            if problem then
                return ("argument %s was changed: %s"):format(parameter.name, problem)
            end
        end
    end
    return nil
end

local function run_sample(sample, dtype, layout, style)
    local args = cases.build(sample, dtype, layout)
    local results = cases.call(sample.op, args, style)
    return check_results(sample, results, args, dtype) or check_untouched(sample, args, cases.build(sample, dtype))
end

--- Every sample in every dtype against the reference.
function checks.values(op, report)
    each_run(op, function(sample, dtype)
        report:try(("%s %s"):format(sample.key, dtype), run_sample, sample, dtype)
    end)
end

--- Arguments by name, and as a method.
function checks.styles(op, report)
    local first = op.parameters[1]
    local is_method = first and (first.kind == "Tensor" or first.kind == "Index" or first.kind == "Mask")
    for _, sample in ipairs(op.samples) do
        local dtype = sample.dtypes_run[#sample.dtypes_run]
        if not sample.error then
            report:try(("%s by name"):format(sample.key), run_sample, sample, dtype, nil, "name")
            if is_method and tocha.is_tensor(cases.build(sample, dtype)[first.name]) then
                report:try(("%s as a method"):format(sample.key), run_sample, sample, dtype, nil, "method")
            end
        end
    end
end

local strided = {{"transposed", layouts.transposed}, {"sliced", layouts.sliced}}

--- Every sample on views with other strides, in every dtype.
function checks.strided(op, report)
    each_run(op, function(sample, dtype)
        for _, entry in ipairs(strided) do
            local name, layout = table.unpack(entry)
            local wanted = sample.layouts ~= false and (sample.layouts or name) == name
            if wanted and not (quick and name == "transposed") then
                report:try(("%s %s %s"):format(sample.key, dtype, name), run_sample, sample, dtype, layout)
            end
        end
    end)
end

local function expand_read(t, parameter)
    return parameter.written and t or layouts.expanded(t)
end

local function run_expanded(sample, dtype)
    local args = cases.build(sample, dtype, expand_read)
    local plain = cases.build(sample, dtype, function(t, parameter)
        return parameter.written and t or layouts.expanded(t):contiguous()
    end)
    tocha.manual_seed(7)
    local expected = cases.call(sample.op, plain)
    tocha.manual_seed(7)
    for i, out in ipairs(cases.call(sample.op, args)) do
        local inexact = compare.is_inexact(out.dtype)
        local problem = inexact and compare.close(out, expected[i], tolerances(sample)) or
            not inexact and compare.same(out, expected[i]) or nil
        if problem and sample.op.entry.reference ~= false then
            return ("output %d: %s"):format(i, problem)
        end
    end
    return nil
end

--- Expanded views (stride 0) against copies of them.
function checks.expanded(op, report)
    each_run(op, function(sample, dtype)
        if sample.layouts == nil and not quick then
            report:try(("%s %s expanded"):format(sample.key, dtype), run_expanded, sample, dtype)
        end
    end)
end

local function without_place(message)
    return (tostring(message):gsub("^[^\n]-:%d+: ", ""))
end

--- A call whose errors have all come up: those that a GPU finds in its data come when it is waited for.
local function call_and_wait(...)
    local results = cases.call(...)
    tocha.cuda.synchronize()
    return results
end

local function run_error(sample, dtype)
    local args = cases.build(sample, dtype)
    local ok, message = pcall(cases.device == "cpu" and cases.call or call_and_wait, sample.op, args)
    if ok then
        return "succeeded, but an error was expected: " .. sample.error
    elseif cases.device == "cpu" and not tostring(message):match("^[^\n]-cases%.lua:%d+: ") then
        return "does not point at the caller's line: " .. tostring(message)
    end
    message = without_place(message)
    if not message:find(sample.error) then
        return ("error %q, expected %q"):format(message, sample.error)
    elseif not message:find("^[%w_]+: %l") and not message:find("^[%w_]+: [%d\"%-]") then
        return ("error %q is not of the form \"op: what was expected\""):format(message)
    end
    return nil
end

--- The samples that must fail.
function checks.errors(op, report)
    for _, sample in ipairs(op.samples) do
        if sample.error then
            for _, dtype in ipairs(dtypes_of(sample)) do
                report:try(("%s %s"):format(sample.key, dtype), run_error, sample, dtype)
            end
        end
    end
end

--- Whether the dtype of a call of the sample is that of its tensors.
local function takes_dtype(sample)
    local found = cases.makes(sample.op) and not sample.plain
    cases.each_spec(sample, function(spec)
        found = found or (not spec.dtype and spec.kind ~= "number" and spec.kind ~= "literal")
    end)
    return found
end

local function run_refused(sample, dtype)
    local ok, message = pcall(cases.call, sample.op, cases.build(sample, dtype))
    if ok then
        return "accepted, but the row does not have it"
    end
    return not tostring(message):find(dtype, 1, true) and "the error does not name it: " .. tostring(message) or nil
end

--- Whether there is something to refuse: rows with every dtype, and composed ones, have nothing.
function checks.refuses(op)
    return op.row.class ~= "compose" and #op.dtypes < #cases.all_dtypes
end

--- The dtypes that the row does not claim.
function checks.refused(op, report)
    local claimed = {}
    for _, dtype in ipairs(op.dtypes) do
        claimed[dtype] = true
    end
    for _, sample in ipairs(op.samples) do
        if not sample.error and takes_dtype(sample) then
            for _, dtype in ipairs(cases.all_dtypes) do
                if not claimed[dtype] then
                    report:try(("%s %s"):format(sample.key, dtype), run_refused, sample, dtype)
                end
            end
            return
        end
    end
end

local function rank(dtype)
    return dtype == "bool" and 0 or dtype:find("float", 1, true) and 2 or dtype:find("complex", 1, true) and 3 or 1
end

local function run_inplace(sample, dtype, layout)
    local args = cases.build(sample, dtype, layout)
    local first = sample.op.parameters[1].name
    local before = args[first]
    tocha.manual_seed(11)
    local out = cases.call(sample.op, args)[1]
    args[first] = layout and layout(before, sample.op.parameters[1]) or before:clone()
    local self = args[first]
    tocha.manual_seed(11)
    local ok, result = pcall(cases.call_inplace, sample.op, args)
    local fits = tostring(out.shape) == tostring(self.shape) and rank(out.dtype) <= rank(self.dtype)
    if not fits then
        local problem = compare.same(self, before)
        return ok and "fits not, but no error was raised" or problem and "failed and yet wrote: " .. problem or nil
    elseif not ok then
        return tostring(result)
    elseif not rawequal(result, self) then
        return "does not return the tensor itself"
    end
    return compare.same(self, out:to(self.dtype))
end

--- The in-place form against the other one.
function checks.inplace(op, report)
    each_run(op, function(sample, dtype)
        local spec = sample.args[op.parameters[1].name]
        if spec and spec.kind ~= "number" and not sample.no_inplace then
            report:try(("%s %s in place"):format(sample.key, dtype), run_inplace, sample, dtype)
            report:try(("%s %s in place, sliced"):format(sample.key, dtype), run_inplace, sample, dtype, layouts.sliced)
        end
    end)
end

local function run_view(sample, dtype)
    local args = cases.build(sample, dtype)
    local base = args[sample.op.parameters[1].name]
    base:fill_(0)
    local view = cases.call(sample.op, args)[1]
    base:fill_(1)
    local again = cases.call(sample.op, args)[1]
    return not view:equal(again) and "what is written into the base does not show in the view" or nil
end

--- Views share memory with their input.
function checks.view(op, report)
    each_run(op, function(sample, dtype)
        report:try(("%s %s shares"):format(sample.key, dtype), run_view, sample, dtype)
    end)
end

--- Whether the operator has a tensor argument, and samples in which its strides may be any.
function checks.takes_strides(op)
    local free = false
    for _, sample in ipairs(op.samples) do
        free = free or (sample.layouts ~= false and not sample.error)
    end
    for _, parameter in ipairs(free and op.parameters or {}) do
        if signature.takes_tensors(parameter) then
            return true
        end
    end
    return false
end

return checks
