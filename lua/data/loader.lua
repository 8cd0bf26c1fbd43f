--- DataLoader: batches of a dataset, for loops.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local DataLoader = {}
DataLoader.__index = DataLoader

local spec = {
    {"batch_size", "count", 1},
    {"shuffle", "boolean", false},
    {"drop_last", "boolean", false},
}

--- Batches of a dataset: for x, y in loader do ... end runs through it once. Options: batch_size (1), shuffle
--- (false; another order each time, decided by tocha.manual_seed), drop_last (false), which leaves out a last batch
--- that is smaller. A dataset is a table with size() and batch(index), where index is an int64 vector of positions.
local function new(dataset, ...)
    if type(dataset) ~= "table" or type(dataset.size) ~= "function" or type(dataset.batch) ~= "function" then
        raise("DataLoader: dataset must have the methods size and batch, got %s", options.describe(dataset))
    end
    local o = options.read("DataLoader", spec, ...)
    return setmetatable({
        dataset = dataset,
        batch_size = o.batch_size,
        shuffle = o.shuffle,
        drop_last = o.drop_last,
        _passes = setmetatable({}, {__mode = "k"}),
    }, DataLoader)
end

--- The number of batches.
function DataLoader:__len()
    local n = self.dataset:size()
    return self.drop_last and n // self.batch_size or (n + self.batch_size - 1) // self.batch_size
end

local function load(self, pass)
    local first = pass.next
    local last = math.min(first + self.batch_size - 1, pass.size)
    if first > pass.size or (self.drop_last and last - first + 1 < self.batch_size) then
        return nil
    end
    pass.next = last + 1
    local dataset = self.dataset
    if pass.order then
        return dataset:batch(pass.order:narrow(1, first, last - first + 1))
    elseif dataset.range then
        return dataset:range(first, last)
    end
    return dataset:batch(core.arange(first, last))
end

local function start(self)
    local n = self.dataset:size()
    return {size = n, next = 1, order = self.shuffle and core.randperm(n) or nil}
end

--- An iterator over one pass.
function DataLoader:batches()
    local pass = start(self)
    return function() return load(self, pass) end
end

--- A pass is found by the batch it gave last, which the loop hands back: loops inside loops each have their own.
local function remember(self, pass, x, ...)
    if x ~= nil then
        self._passes[x] = pass
    end
    return x, ...
end

--- Makes "for x, y in loader do" work: Lua calls this with the x before, nil at first.
function DataLoader:__call(_, x)
    local pass
    if x == nil then
        pass = start(self)
    else
        pass = self._passes[x]
        self._passes[x] = nil
    end
    if not pass then
        raise("DataLoader: the loop's first variable was changed inside the loop")
    end
    return remember(self, pass, load(self, pass))
end

return setmetatable(DataLoader, {__call = function(_, ...) return new(...) end})
