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

--- The dtype of an output in a run with dtype, of which float64 is the stored one that stands for it.
local function result_dtype(sample, stored, dtype)
    local fixed = sample.args.dtype ~= nil
    return stored == "float64" and not fixed and dtype or stored
end

--- What a sample's outputs must be in dtype: a list of {elements, dtype, shape}.
function references.expected(sample, dtype)
    local entry, tensors = find(sample)
    local run = entry.runs[dtype] and dtype or "float64"
    local list = {}
    for i, stored in ipairs(entry.runs[run]) do
        local t = tensors[("%s:%s:%d"):format(sample.key, run, i)]
        local stands_in = values.class_of(dtype) == "float" and run == "float64"
        list[i] = {
            elements = compare.flat(t),
            shape = tostring(t.shape),
            dtype = stands_in and result_dtype(sample, stored, dtype) or stored,
        }
    end
    return list
end

--- The stored gradient of an argument in float64 (lists: "tensors.1"), or nil.
function references.gradient(sample, name)
    local _, tensors = find(sample)
    return tensors[("%s:grad:%s"):format(sample.key, name)]
end

return references
