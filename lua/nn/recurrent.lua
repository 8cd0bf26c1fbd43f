--- Recurrent networks and their cells as modules.

local applied = require "nn.applied"
local core = require "tocha.core"
local init = require "nn.initializers"
local options = require "tocha.options"
local packing = require "nn.packing"
local parameter = require "nn.parameter"
local raise = require "tocha.raise"

local recurrent = {}

local network_spec = {
    {"input_size", "count"}, {"hidden_size", "count"}, {"num_layers", "count", 1}, {"bias", "boolean", true},
    {"batch_first", "boolean", false}, {"dropout", "share", 0.0}, {"bidirectional", "boolean", false},
    {"dtype", "float_dtype", "float32"}, {"device", "string", "cpu"},
}

local function with_entry(spec, position, entry)
    local list = table.move(spec, 1, #spec, 1, {})
    table.insert(list, position, entry)
    return list
end

--- Uniform within 1 / sqrt(hidden_size).
local function new_weight(self, shape, o)
    local bound = 1 / math.sqrt(self.hidden_size)
    local weight = core.empty(shape, {dtype = o.dtype, device = o.device})
    return parameter.make(init.uniform_(weight, -bound, bound))
end

--- weight_ih_l1, weight_hh_l1, bias_ih_l1, bias_hh_l1 and weight_hr_l1, then those of the way back with the ending
--- _reverse, and so on for each layer; layers count from 1.
local function make_weights(self, o, gates)
    local rows, state = gates * self.hidden_size, self.proj_size ~= 0 and self.proj_size or self.hidden_size
    local directions = self.bidirectional and {"", "_reverse"} or {""}
    self._weights = {}
    for layer = 1, self.num_layers do
        for _, ending in ipairs(directions) do
            local wide = layer == 1 and self.input_size or state * #directions
            local shapes = {
                {"weight_ih", {rows, wide}}, {"weight_hh", {rows, state}},
                self.bias and {"bias_ih", {rows}} or false, self.bias and {"bias_hh", {rows}} or false,
                self.proj_size ~= 0 and {"weight_hr", {state, self.hidden_size}} or false,
            }
            for _, entry in ipairs(shapes) do
                if entry then
                    local name = ("%s_l%d%s"):format(entry[1], layer, ending)
                    self[name] = new_weight(self, entry[2], o)
                    table.insert(self._weights, name)
                end
            end
        end
    end
end

local function weights_of(self)
    local list = {}
    for i, name in ipairs(self._weights) do
        list[i] = self[name]
    end
    return list
end

--- A state of zeros for a batch, or for a single sequence where batch is nil.
local function zero_state(self, x, batch, size)
    local stacks = self.num_layers * (self.bidirectional and 2 or 1)
    local shape = batch and {stacks, batch, size} or {stacks, size}
    return core.zeros(shape, {dtype = x.dtype, device = x.device})
end

local function sorted(state, order)
    return order and state:index_select(2, order) or state
end

--- The packed form of op: forward of a PackedSequence.
local function run_packed(self, op, x, hx, two)
    local batch = x.batch_sizes[1]:item()
    local size = self.proj_size ~= 0 and self.proj_size or self.hidden_size
    hx = hx or (two and {zero_state(self, x.data, batch, size), zero_state(self, x.data, batch, self.hidden_size)}
        or zero_state(self, x.data, batch, size))
    local function turn(state, order)
        return two and {sorted(state[1], order), sorted(state[2], order)} or sorted(state, order)
    end
    local out, h, c = op(x.data, x.batch_sizes, turn(hx, x.sorted_indices), weights_of(self), self.bias,
        self.num_layers, self.dropout, self.training, self.bidirectional)
    local packed = packing.PackedSequence(out, x.batch_sizes, x.sorted_indices, x.unsorted_indices)
    local last = turn(two and {h, c} or h, x.unsorted_indices)
    return packed, last
end

local function network(op, two)
    return function(self, x, hx)
        if packing.is_packed(x) then
            return run_packed(self, op, x, hx, two)
        end
        local dims = core.is_tensor(x) and x:dim()
        if (dims ~= 2 and dims ~= 3) or x:size(-1) ~= self.input_size then
            raise("%s: expected input of shape (%s, %d), (steps, %d) or a packed sequence, got %s", self:describe(),
                self.batch_first and "n, steps" or "steps, n", self.input_size, self.input_size,
                dims and tostring(x.shape) or options.describe(x))
        end
        local batch = dims == 3 and x:size(self.batch_first and 1 or 2) or nil
        local size = self.proj_size ~= 0 and self.proj_size or self.hidden_size
        hx = hx or (two and {zero_state(self, x, batch, size), zero_state(self, x, batch, self.hidden_size)}
            or zero_state(self, x, batch, size))
        local out, h, c = op(x, hx, weights_of(self), self.bias, self.num_layers, self.dropout, self.training,
            self.bidirectional, self.batch_first and dims == 3)
        return out, two and {h, c} or h
    end
end

local elman = {tanh = core.rnn_tanh, relu = core.rnn_relu}

local function check_nonlinearity(self)
    if not elman[self.nonlinearity] then
        raise('%s: nonlinearity must be "tanh" or "relu", got %s', self._name, options.describe(self.nonlinearity))
    end
end

local run_elman = {tanh = network(elman.tanh), relu = network(elman.relu)}

--- An Elman network over whole sequences, (steps, n, input_size), (n, steps, input_size) with batch_first, one without
--- batch, or packed; forward(x, h0) gives the output, (steps, n, directions * hidden_size), and the last state
--- (num_layers * directions, n, hidden_size); h0, of that shape, is zeros unless given. Parameters are weight_ih_l1,
--- weight_hh_l1, bias_ih_l1, bias_hh_l1, with _reverse for the way back, and so on. Options: num_layers (1),
--- nonlinearity ("tanh" or "relu"), bias (true), batch_first (false), dropout (0) between the layers, bidirectional
--- (false), dtype ("float32"), device ("cpu").
--- > nn.RNN(3, 4)(tocha.zeros(5, 2, 3)).shape
--- 5x2x4
recurrent.RNN = applied("RNN", with_entry(network_spec, 4, {"nonlinearity", "string", "tanh"}),
    function(self, x, hx)
        return run_elman[self.nonlinearity](self, x, hx)
    end, function(self, o)
        check_nonlinearity(self)
        self.proj_size = 0
        make_weights(self, o, 1)
    end)

--- A long short-term memory (Hochreiter and Schmidhuber, 1997). As RNN, but with a pair of states: forward(x, {h0, c0})
--- gives the output and {h, c}. The option proj_size (0), less than hidden_size, projects h to that size.
--- > nn.LSTM(3, 4, {bidirectional = true})(tocha.zeros(5, 2, 3)).shape
--- 5x2x8
recurrent.LSTM = applied("LSTM", with_entry(network_spec, 8, {"proj_size", "size", 0}), network(core.lstm, true),
    function(self, o)
        if o.proj_size >= o.hidden_size then
            raise("LSTM: proj_size must be less than hidden_size, got %d and %d", o.proj_size, o.hidden_size)
        end
        make_weights(self, o, 4)
    end)

--- A network of gated recurrent units (Cho et al., EMNLP 2014). As RNN, without nonlinearity.
--- > nn.GRU(3, 4, 2)(tocha.zeros(5, 2, 3)).shape
--- 5x2x4
recurrent.GRU = applied("GRU", network_spec, network(core.gru), function(self, o)
    self.proj_size = 0
    make_weights(self, o, 3)
end)

for _, class in pairs(recurrent) do
    class._weights = {}
end

local cell_spec = {
    {"input_size", "count"}, {"hidden_size", "count"}, {"bias", "boolean", true},
    {"dtype", "float_dtype", "float32"}, {"device", "string", "cpu"},
}

local function cell_weights(gates)
    return function(self, o)
        local rows = gates * o.hidden_size
        self.weight_ih = new_weight(self, {rows, o.input_size}, o)
        self.weight_hh = new_weight(self, {rows, o.hidden_size}, o)
        if o.bias then
            self.bias_ih = new_weight(self, {rows}, o)
            self.bias_hh = new_weight(self, {rows}, o)
        end
    end
end

local function cell(op, two)
    return function(self, x, hx)
        local dims = core.is_tensor(x) and x:dim()
        if (dims ~= 1 and dims ~= 2) or x:size(-1) ~= self.input_size then
            raise("%s: expected input of shape (n, %d) or (%d), got %s", self:describe(), self.input_size,
                self.input_size, dims and tostring(x.shape) or options.describe(x))
        end
        if not hx then
            local shape = dims == 2 and {x:size(1), self.hidden_size} or {self.hidden_size}
            local zeros = core.zeros(shape, {dtype = x.dtype, device = x.device})
            hx = two and {zeros, zeros} or zeros
        end
        return op(x, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
    end
end

local elman_cell = {tanh = cell(core.rnn_tanh_cell), relu = cell(core.rnn_relu_cell)}

--- One step of RNN: forward(x, h), of shapes (n, input_size) and (n, hidden_size) or without n, gives the next state;
--- h is zeros unless given. Options: bias (true), nonlinearity ("tanh" or "relu"), dtype ("float32"), device ("cpu").
--- > nn.RNNCell(3, 4)(tocha.zeros(2, 3)).shape
--- 2x4
recurrent.RNNCell = applied("RNNCell", with_entry(cell_spec, 4, {"nonlinearity", "string", "tanh"}),
    function(self, x, hx)
        return elman_cell[self.nonlinearity](self, x, hx)
    end, function(self, o)
        check_nonlinearity(self)
        cell_weights(1)(self, o)
    end)

--- One step of LSTM: forward(x, {h, c}) gives the next h and c. Options as of RNNCell, without nonlinearity.
--- > nn.LSTMCell(3, 4)(tocha.zeros(2, 3)).shape
--- 2x4
recurrent.LSTMCell = applied("LSTMCell", cell_spec, cell(core.lstm_cell, true), cell_weights(4))

--- One step of GRU. Options as of RNNCell, without nonlinearity.
--- > nn.GRUCell(3, 4)(tocha.zeros(2, 3)).shape
--- 2x4
recurrent.GRUCell = applied("GRUCell", cell_spec, cell(core.gru_cell), cell_weights(3))

return recurrent
