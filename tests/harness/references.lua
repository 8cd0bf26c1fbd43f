--- The results of PyTorch stored in tests/reference.

local tocha = require "tocha"
local compare = require "tests.harness.compare"
local export = require "tests.harness.export"
local values = require "tests.harness.values"

local references = {}

local here = debug.getinfo(1, "S").source:match("^@(.*)harness[/\\][^/\\]*$") or ""

--- Where they stand.
references.folder = here .. "reference/"

local families = {}

local function read_index(text)
    local index = {}
    for line in text:gmatch("[^\n]+") do
        local key, fingerprint, runs = line:match("^(%S+) (%S+)(.*)$")
        local entry = {fingerprint = fingerprint, runs = {}}
        for run, dtypes in runs:gmatch("(%w+)=(%S*)") do
            entry.runs[run] = {}
            for dtype in dtypes:gmatch("%w+") do
                table.insert(entry.runs[run], dtype)
            end
        end
        index[key] = entry
    end
    return index
end

local function load_family(name)
    if not families[name] then
        local tensors, metadata = tocha.load(references.folder .. name .. ".safetensors")
        families[name] = {tensors = tensors, index = read_index(metadata.index)}
    end
    return families[name]
end

--- The stored entry of a sample. Raises an error where there is none or the sample has changed since.
local function find(sample)
    local family = load_family(sample.op.family)
    local entry = family.index[sample.key]
    local _, fingerprint = export.line(sample)
    if not entry or entry.fingerprint ~= fingerprint then
        error(sample.key .. ": its reference is missing or stale; run tests/reference/regenerate", 0)
    end
    return entry, family.tensors
end

--- Whether the references of a sample are there and were made from it as it is now.
function references.is_fresh(sample)
    return (pcall(find, sample))
end

local parts_of = {complex64 = "float32", complex128 = "float64"}
local complex_of = {float32 = "complex64", float64 = "complex128"}

--- The dtype of an output in a run with dtype, where the stored one is that of the widest dtype, which stands for it.
local function result_dtype(sample, stored, dtype)
    if sample.args.dtype ~= nil then
        return stored
    elseif stored == "float64" then
        return parts_of[dtype] or dtype
    elseif stored == "complex128" then
        return complex_of[dtype] or parts_of[dtype] and dtype or "complex64"
    end
    return stored
end

--- A stored tensor as it was: the parts of complex numbers are stored as float64.
local function as_stored(t, dtype)
    return dtype:find("complex", 1, true) and tocha.view_as_complex(t) or t
end

--- What a sample's outputs must be in dtype: a list of {elements, dtype, shape}.
function references.expected(sample, dtype)
    local entry, tensors = find(sample)
    local class = values.class_of(dtype)
    local run = entry.runs[dtype] and dtype or export.widest[class]
    local list = {}
    for i, stored in ipairs(entry.runs[run]) do
        local t = as_stored(tensors[("%s:%s:%d"):format(sample.key, run, i)], stored)
        local stands_in = run == export.widest[class]
        list[i] = {
            elements = compare.flat(t),
            shape = tostring(t.shape),
            dtype = stands_in and result_dtype(sample, stored, dtype) or stored,
        }
    end
    return list
end

--- The stored gradient of an argument in float64 or complex128 (lists: "tensors.1"), or nil.
function references.gradient(sample, name, dtype)
    local _, tensors = find(sample)
    if dtype == "complex128" then
        local t = tensors[("%s:complex grad:%s"):format(sample.key, name)]
        return t and as_stored(t, dtype)
    end
    return tensors[("%s:grad:%s"):format(sample.key, name)]
end

return references
