--- Writes the samples with their inputs as JSON lines, for tests/reference/generate.py.
---
--- One line a sample that has a reference: {"key", "family", "torch", "fingerprint", "runs", "grad", "parameters",
--- "args"}. A fingerprint is the hash of the line without it: references of a sample that has changed are stale.

local tocha = require "tocha"
local cases = require "tests.harness.cases"
local values = require "tests.harness.values"

local export = {}

local function number_text(v)
    if math.type(v) == "integer" then
        return tostring(v)
    elseif v ~= v then
        return '"nan"'
    elseif v == math.huge or v == -math.huge then
        return v > 0 and '"inf"' or '"-inf"'
    end
    local text = ("%.17g"):format(v)
    return text:find("[%.e]") and text or text .. ".0"
end

local function string_text(s)
    assert(not s:find("%c"), "control character in " .. s)
    return '"' .. s:gsub('[\\"]', "\\%0") .. '"'
end

local encode

local function list_text(list, n)
    local items = {}
    for i = 1, n or #list do
        items[i] = encode(list[i])
    end
    return "[" .. table.concat(items, ",") .. "]"
end

local function object_text(t)
    local keys, items = {}, {}
    for key in pairs(t) do
        keys[#keys + 1] = key
    end
    table.sort(keys)
    for i, key in ipairs(keys) do
        items[i] = string_text(key) .. ":" .. encode(t[key])
    end
    return "{" .. table.concat(items, ",") .. "}"
end

function encode(value)
    local kind = type(value)
    if kind == "number" then
        return number_text(value)
    elseif kind == "string" then
        return string_text(value)
    elseif kind == "boolean" or kind == "nil" then
        return kind == "nil" and "null" or tostring(value)
    elseif value.list then
        return list_text(value.list, value.n)
    end
    return object_text(value)
end

local function as_list(list, n)
    return {list = list, n = n or #list}
end

--- Every dtype class that the sample's dtypes and the tensor's own one need.
local function classes_needed(sample, spec)
    local needed = {}
    if spec.dtype then
        needed[values.class_of(spec.dtype)] = true
        return needed
    end
    for _, dtype in ipairs(sample.dtypes_run) do
        needed[values.class_of(dtype)] = true
    end
    return needed
end

local function describe_spec(sample, spec, seed)
    if spec.kind == "number" then
        if tocha.is_tensor(spec.number) then
            return {complex = as_list {spec.number:item()}}
        end
        return {number = spec.number}
    end
    local elements = {}
    for class in pairs(classes_needed(sample, spec)) do
        elements[class] = as_list(spec:flat(class, seed))
    end
    return {shape = as_list(spec.shape), dtype = spec.dtype, elements = elements, grad = spec.grad ~= false}
end

local function describe_value(sample, value, seed)
    if values.is_spec(value) then
        return {tensor = describe_spec(sample, value, seed)}
    elseif type(value) ~= "table" then
        return {value = value}
    end
    local items, tensors = {}, false
    for i = 1, #value do
        tensors = tensors or values.is_spec(value[i])
    end
    if not tensors then
        return {value = as_list(value)}
    end
    for i = 1, #value do
        items[i] = value[i] and {tensor = describe_spec(sample, value[i], seed .. "." .. i)} or {value = nil}
    end
    return {tensors = as_list(items)}
end

--- The dtypes that stand for all of their class.
export.widest = {float = "float64", complex = "complex128"}

--- The dtypes whose references are stored: the widest floats and complex numbers stand for all where they are run.
function export.stored_dtypes(sample)
    local runs, run = {}, {}
    for _, dtype in ipairs(sample.dtypes_run) do
        run[dtype] = true
    end
    for _, dtype in ipairs(sample.dtypes_run) do
        local wide = export.widest[values.class_of(dtype)]
        if dtype == wide or not run[wide] then
            runs[#runs + 1] = dtype
        end
    end
    return runs
end

--- Whether the sample has a reference at all; one of a random operator where it says how PyTorch gets the same.
function export.has_reference(sample)
    return not sample.error and sample.op.entry.reference ~= false and (sample.torch or not sample.op.row.random)
end

local function parameters_of(op)
    local list = {}
    for i, p in ipairs(op.parameters) do
        list[i] = {name = p.name, kind = p.kind, default = p.default}
    end
    return as_list(list)
end

local function describe(sample)
    local op = sample.op
    local args = {}
    for name, value in pairs(sample.args) do
        args[name] = describe_value(sample, value, sample.key .. ":" .. name)
    end
    return {
        key = sample.key,
        family = op.family,
        torch = sample.torch or "default(torch." .. op.row.public_name .. ")",
        runs = as_list(export.stored_dtypes(sample)),
        grad = sample.grad ~= false and not op.entry.no_grad,
        complex_grad = sample.complex_grad,
        to_float = op.row.to_float,
        makes = cases.makes(op) and not sample.plain,
        parameters = parameters_of(op),
        args = args,
    }
end

--- The line of a sample without fingerprint, and the fingerprint.
function export.line(sample)
    local text = encode(describe(sample))
    return text, ("%016x"):format(values.hash(text))
end

--- Writes all lines to the file at path.
function export.write(path)
    local file = assert(io.open(path, "w"))
    for _, op in ipairs((cases.ops())) do
        for _, sample in ipairs(op.samples) do
            if export.has_reference(sample) then
                local text, fingerprint = export.line(sample)
                file:write('{"fingerprint":"', fingerprint, '",', text:sub(2), "\n")
            end
        end
    end
    file:close()
end

return export
