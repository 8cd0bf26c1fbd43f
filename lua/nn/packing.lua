--- nn.utils.rnn: sequences of different lengths, padded to one length or packed without padding.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local packing = {}

local Packed = {}
Packed.__index = Packed
Packed.__name = "PackedSequence"

function Packed:__tostring()
    return ("PackedSequence(data of shape %s, batch_sizes %s)"):format(tostring(self.data.shape),
        tostring(self.batch_sizes))
end

--- The same sequences with data on another device or of another dtype, as by tensor:to(...).
function Packed:to(...)
    return packing.PackedSequence(self.data:to(...), self.batch_sizes, self.sorted_indices, self.unsorted_indices)
end

--- Whether a value is a packed sequence.
function packing.is_packed(value)
    return getmetatable(value) == Packed
end

--- Sequences without padding: data holds the first steps of all, the longest first, then the second steps of all that
--- have one, and so on; batch_sizes says how many at each step. sorted_indices: which sequence of the batch comes
--- where; unsorted_indices: the reverse; both are missing where the batch was sorted already.
function packing.PackedSequence(data, batch_sizes, sorted_indices, unsorted_indices)
    if sorted_indices and not unsorted_indices then
        unsorted_indices = sorted_indices:argsort()
    end
    return setmetatable({
        data = data, batch_sizes = batch_sizes, sorted_indices = sorted_indices, unsorted_indices = unsorted_indices,
    }, Packed)
end

--- A vector of whole numbers as a list.
local function read_lengths(who, lengths, batch, most)
    local list = core.is_tensor(lengths) and lengths:tolist() or lengths
    if type(list) ~= "table" or #list ~= batch then
        raise("%s: lengths must be %d whole numbers, one for each sequence, got %s", who, batch,
            options.describe(lengths))
    end
    for i, n in ipairs(list) do
        n = math.tointeger(n)
        if not n or n < 1 or n > most then
            raise("%s: length %d must be a whole number in [1, %d], got %s", who, i, most, options.describe(list[i]))
        end
        list[i] = n
    end
    return list
end

local function is_sorted(lengths)
    for i = 2, #lengths do
        if lengths[i] > lengths[i - 1] then
            return false
        end
    end
    return true
end

--- The order of the sequences from the longest on, as a list and as a tensor beside x; nothing if they have it already.
local function longest_first(lengths, x)
    if is_sorted(lengths) then
        return lengths, nil
    end
    local order, sorted = {}, {}
    for i = 1, #lengths do
        order[i] = i
    end
    table.sort(order, function(a, b)
        return lengths[a] > lengths[b] or lengths[a] == lengths[b] and a < b
    end)
    for i, at in ipairs(order) do
        sorted[i] = lengths[at]
    end
    return sorted, core.tensor(order):to {device = x.device}
end

--- How many sequences, the longest first, go on at each step.
local function sizes_of(lengths)
    local sizes, going = {}, #lengths
    for step = 1, lengths[1] do
        while lengths[going] < step do
            going = going - 1
        end
        sizes[step] = going
    end
    return sizes
end

--- Where the steps of each sequence stand among the rows (steps * batch) of a padded tensor.
local function rows_of(sizes, batch)
    local rows = {}
    for step, going in ipairs(sizes) do
        for n = 1, going do
            rows[#rows + 1] = (step - 1) * batch + n
        end
    end
    return rows
end

local pack_parameters = {"input", "lengths", "batch_first", "enforce_sorted"}

--- Packs padded sequences, (steps, n, *), or (n, steps, *) with batch_first: the lengths are a list or a tensor of n
--- whole numbers. Unless enforce_sorted is false they must not grow; else the packed sequence remembers the order.
--- > nn.utils.rnn.pack_padded_sequence(tocha.tensor({{1, 3}, {2, 0}}), {2, 1}).data
--- tensor({1, 3, 2}, int64)
function packing.pack_padded_sequence(...)
    local who = "pack_padded_sequence"
    local o = options.arguments(who, pack_parameters, ...)
    local x = o.input
    if not core.is_tensor(x) or x:dim() < 2 then
        raise("%s: input must be a tensor (steps, n, *), got %s", who, options.describe(x))
    end
    x = o.batch_first and x:transpose(1, 2) or x
    local steps, batch = x:size(1), x:size(2)
    local lengths = read_lengths(who, o.lengths, batch, steps)
    if batch == 0 then
        raise("%s: input must hold at least one sequence, got shape %s", who, tostring(o.input.shape))
    elseif o.enforce_sorted ~= false and not is_sorted(lengths) then
        raise("%s: lengths must not grow; give {enforce_sorted = false} to have the sequences sorted", who)
    end
    local sorted, order = longest_first(lengths, x)
    x = order and x:index_select(2, order) or x
    local sizes = sizes_of(sorted)
    local rows = core.tensor(rows_of(sizes, batch)):to {device = x.device}
    return packing.PackedSequence(x:flatten(1, 2):index_select(1, rows), core.tensor(sizes), order)
end

--- The lengths of packed sequences, the longest first.
local function lengths_of(sizes)
    local lengths = {}
    for i = 1, sizes[1] do
        lengths[i] = 0
    end
    for _, going in ipairs(sizes) do
        for i = 1, going do
            lengths[i] = lengths[i] + 1
        end
    end
    return lengths
end

local pad_parameters = {"sequence", "batch_first", "padding_value", "total_length"}

--- The reverse of pack_padded_sequence: the padded tensor and the lengths. padding_value (0) stands behind the
--- sequences' ends; total_length: as many steps rather than those of the longest.
--- > nn.utils.rnn.pad_packed_sequence(nn.utils.rnn.pack_sequence({tocha.tensor({1, 2}), tocha.tensor({3})}))
--- tensor({{1, 3},
---         {2, 0}}, int64)
--- tensor({2, 1}, int64)
function packing.pad_packed_sequence(...)
    local who = "pad_packed_sequence"
    local o = options.arguments(who, pad_parameters, ...)
    local packed = o.sequence
    if not packing.is_packed(packed) then
        raise("%s: sequence must be a PackedSequence, got %s", who, options.describe(packed))
    end
    local data, sizes = packed.data, packed.batch_sizes:tolist()
    local steps, batch = o.total_length or #sizes, sizes[1]
    if math.type(steps) ~= "integer" or steps < #sizes then
        raise("%s: total_length must be a whole number from %d, the length of the longest, got %s", who, #sizes,
            options.describe(o.total_length))
    end
    local shape = {steps * batch}
    for d = 2, data:dim() do
        shape[d] = data:size(d)
    end
    local rows = core.tensor(rows_of(sizes, batch)):to {device = data.device}
    local padded = core.full(shape, o.padding_value or 0, {dtype = data.dtype, device = data.device})
    padded = padded:index_copy(1, rows, data):unflatten(1, {steps, batch})
    local lengths = core.tensor(lengths_of(sizes))
    if packed.unsorted_indices then
        padded = padded:index_select(2, packed.unsorted_indices)
        lengths = lengths:index_select(1, packed.unsorted_indices:to {device = "cpu"})
    end
    return o.batch_first and padded:transpose(1, 2) or padded, lengths
end

local function check_sequences(who, sequences)
    if type(sequences) ~= "table" or #sequences == 0 then
        raise("%s: sequences must be a list of tensors, got %s", who, options.describe(sequences))
    end
    for i, x in ipairs(sequences) do
        if not core.is_tensor(x) or x:dim() == 0 then
            raise("%s: sequence %d must be a tensor (steps, *), got %s", who, i, options.describe(x))
        end
    end
end

local list_parameters = {"sequences", "batch_first", "padding_value", "padding_side"}

--- A list of sequences (steps, *) of different lengths as one tensor (steps of the longest, n, *), or (n, steps, *)
--- with batch_first. padding_value (0) stands behind the sequences, or, with padding_side "left", before them.
--- > nn.utils.rnn.pad_sequence({tocha.tensor({1, 2}), tocha.tensor({3})}, {batch_first = true})
--- tensor({{1, 2},
---         {3, 0}}, int64)
function packing.pad_sequence(...)
    local who = "pad_sequence"
    local o = options.arguments(who, list_parameters, ...)
    check_sequences(who, o.sequences)
    local side = o.padding_side or "right"
    if side ~= "right" and side ~= "left" then
        raise('%s: padding_side must be "right" or "left", got %s', who, options.describe(side))
    end
    local longest, padded = 0, {}
    for _, x in ipairs(o.sequences) do
        longest = math.max(longest, x:size(1))
    end
    for i, x in ipairs(o.sequences) do
        local shape = {longest - x:size(1)}
        for d = 2, x:dim() do
            shape[d] = x:size(d)
        end
        local fill = core.full(shape, o.padding_value or 0, {dtype = x.dtype, device = x.device})
        padded[i] = core.cat(side == "right" and {x, fill} or {fill, x}, 1)
    end
    return core.stack(padded, o.batch_first and 1 or 2)
end

local unpad_parameters = {"padded_sequences", "lengths", "batch_first"}

--- The reverse of pad_sequence: a list of sequences of these lengths.
--- > nn.utils.rnn.unpad_sequence(tocha.tensor({{1, 3}, {2, 0}}), {2, 1})
--- {tensor({1, 2}, int64), tensor({3}, int64)}
function packing.unpad_sequence(...)
    local who = "unpad_sequence"
    local o = options.arguments(who, unpad_parameters, ...)
    local x = o.padded_sequences
    if not core.is_tensor(x) or x:dim() < 2 then
        raise("%s: padded_sequences must be a tensor (steps, n, *), got %s", who, options.describe(x))
    end
    x = o.batch_first and x or x:transpose(1, 2)
    local lengths, list = read_lengths(who, o.lengths, x:size(1), x:size(2)), {}
    for i, n in ipairs(lengths) do
        list[i] = x:select(1, i):narrow(1, 1, n)
    end
    return list
end

local pack_list_parameters = {"sequences", "enforce_sorted"}

--- Packs a list of sequences (steps, *) of different lengths, as pack_padded_sequence does.
--- > nn.utils.rnn.pack_sequence({tocha.tensor({1, 2}), tocha.tensor({3})})
--- PackedSequence(data of shape 3, batch_sizes tensor({2, 1}, int64))
function packing.pack_sequence(...)
    local who = "pack_sequence"
    local o = options.arguments(who, pack_list_parameters, ...)
    check_sequences(who, o.sequences)
    local lengths = {}
    for i, x in ipairs(o.sequences) do
        lengths[i] = x:size(1)
    end
    return packing.pack_padded_sequence(packing.pad_sequence(o.sequences), lengths,
        {enforce_sorted = o.enforce_sorted ~= false})
end

--- The reverse of pack_sequence: the list of sequences.
--- > nn.utils.rnn.unpack_sequence(nn.utils.rnn.pack_sequence({tocha.tensor({1, 2}), tocha.tensor({3})}))
--- {tensor({1, 2}, int64), tensor({3}, int64)}
function packing.unpack_sequence(packed)
    local padded, lengths = packing.pad_packed_sequence(packed)
    return packing.unpad_sequence(padded, lengths)
end

return packing
