--- Datasets: anything with size() and batch(index) works in a DataLoader.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local TensorDataset = {}
TensorDataset.__index = TensorDataset

local function check_tensors(tensors)
    for i, t in ipairs(tensors) do
        if not core.is_tensor(t) or t:dim() == 0 then
            raise("TensorDataset: entry %d must be a tensor with one entry a sample, got %s", i, options.describe(t))
        elseif t:size(1) ~= tensors[1]:size(1) then
            raise("TensorDataset: all tensors must have as many samples, got %d and %d", tensors[1]:size(1), t:size(1))
        end
    end
    if #tensors == 0 then
        raise("TensorDataset: expected tensors, got none")
    end
end

--- Samples that stand in tensors, along their first dim: TensorDataset(x, y). The last argument may be a table with
--- transform, a function that gets a batch of each tensor and returns what a loop sees instead.
--- #dataset is the number of samples, dataset[i] a list with sample i of each tensor, as a batch of one.
local function new(...)
    local tensors = {...}
    local last, transform = tensors[#tensors], nil
    if type(last) == "table" then
        tensors[#tensors] = nil
        transform = options.read("TensorDataset", {{"transform", "call", optional = true}}, last).transform
    end
    check_tensors(tensors)
    return setmetatable({tensors = tensors, transform = transform}, TensorDataset)
end

function TensorDataset:size()
    return self.tensors[1]:size(1)
end

local function transformed(self, parts)
    if self.transform then
        return self.transform(table.unpack(parts))
    end
    return table.unpack(parts)
end

--- The samples at the positions that index, an int64 vector, holds.
function TensorDataset:batch(index)
    local parts = {}
    for i, t in ipairs(self.tensors) do
        parts[i] = t:index_select(1, index)
    end
    return transformed(self, parts)
end

--- Samples first to last, without copying them.
function TensorDataset:range(first, last)
    local parts = {}
    for i, t in ipairs(self.tensors) do
        parts[i] = t:narrow(1, first, last - first + 1)
    end
    return transformed(self, parts)
end

TensorDataset.__len = TensorDataset.size

function TensorDataset:__tostring()
    local shapes = {}
    for i, t in ipairs(self.tensors) do
        shapes[i] = tostring(t.shape) .. " " .. t.dtype
    end
    return ("TensorDataset(%s)"):format(table.concat(shapes, ", "))
end

local function get(self, key)
    if math.type(key) ~= "integer" then
        return TensorDataset[key]
    elseif key < 1 or key > self:size() then
        return nil
    end
    return {self:range(key, key)}
end

TensorDataset.__index = get

return setmetatable(TensorDataset, {__call = function(_, ...) return new(...) end})
