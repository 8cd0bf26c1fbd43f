--- Linear, Embedding, Flatten, Dropout and the activations.

local applied = require "nn.applied"
local core = require "tocha.core"
local init = require "nn.initializers"
local options = require "tocha.options"
local parameter = require "nn.parameter"
local raise = require "tocha.raise"
local class = require("nn.module").class

local layers = {}

local is_tensor, linear, dropout = core.is_tensor, core.linear, core.dropout

local function shape_error(self, expected, x)
    raise("%s: expected input of shape %s, got %s", self:describe(), expected,
        is_tensor(x) and tostring(x.shape) or options.describe(x))
end

local linear_spec = {
    {"in_features", "size"},
    {"out_features", "size"},
    {"bias", "boolean", true},
    {"dtype", "float_dtype", "float32"},
    {"device", "string", "cpu"},
}

--- x times the transpose of weight, plus bias: (*, in_features) gives (*, out_features).
--- weight: (out_features, in_features), bias: (out_features), both uniform within 1 / sqrt(in_features) at first.
--- Options: bias (true), dtype ("float32"), device ("cpu").
local Linear = class("Linear")
layers.Linear = Linear

function Linear:init(...)
    local o = options.read("Linear", linear_spec, ...)
    local kind = {dtype = o.dtype, device = o.device}
    self.in_features, self.out_features = o.in_features, o.out_features
    self.weight = parameter.make(core.empty({o.out_features, o.in_features}, kind))
    self.bias = o.bias and parameter.make(core.empty({o.out_features}, kind)) or nil
    init.layer_(self.weight, self.bias)
end

function Linear:forward(x)
    if not is_tensor(x) or x:dim() == 0 or x:size(-1) ~= self.in_features then
        shape_error(self, ("(*, %d)"):format(self.in_features), x)
    end
    return linear(x, self.weight, self.bias)
end

function Linear:extra_repr()
    return ("%d, %d%s"):format(self.in_features, self.out_features, self.bias and "" or ", {bias = false}")
end

local embedding_spec = {
    {"num_embeddings", "size"},
    {"embedding_dim", "size"},
    {"padding_idx", "integer", optional = true},
    {"dtype", "float_dtype", "float32"},
    {"device", "string", "cpu"},
}

--- Rows of a table by their position, counted from 1: (*) gives (*, embedding_dim).
--- weight: (num_embeddings, embedding_dim), normally distributed at first. Options: padding_idx, a row that is zero
--- and gets no gradient; dtype ("float32"), device ("cpu").
local Embedding = class("Embedding")
layers.Embedding = Embedding

function Embedding:init(...)
    local o = options.read("Embedding", embedding_spec, ...)
    local row = o.padding_idx
    if row and row < 0 then
        row = row + o.num_embeddings + 1
    end
    if row and (row < 1 or row > o.num_embeddings) then
        raise("Embedding: padding_idx must be in [1, %d], got %d", o.num_embeddings, o.padding_idx)
    end
    self.num_embeddings, self.embedding_dim, self.padding_idx = o.num_embeddings, o.embedding_dim, row
    self.weight = parameter.make(core.empty({o.num_embeddings, o.embedding_dim}, {dtype = o.dtype, device = o.device}))
    init.normal_(self.weight)
    if row then
        init.zeros_(self.weight:detach():select(1, row))
    end
end

function Embedding:forward(x)
    return core.embedding(x, self.weight, self.padding_idx)
end

function Embedding:extra_repr()
    local padding = self.padding_idx and (", {padding_idx = %d}"):format(self.padding_idx) or ""
    return ("%d, %d%s"):format(self.num_embeddings, self.embedding_dim, padding)
end

local flatten_spec = {{"start_dim", "integer", 2}, {"end_dim", "integer", -1}}

--- Makes dims start_dim (2) to end_dim (-1) one: (n, c, h, w) gives (n, c * h * w).
local Flatten = class("Flatten")
layers.Flatten = Flatten

function Flatten:init(...)
    local o = options.read("Flatten", flatten_spec, ...)
    self.start_dim, self.end_dim = o.start_dim, o.end_dim
end

function Flatten:forward(x)
    return core.flatten(x, self.start_dim, self.end_dim)
end

function Flatten:extra_repr()
    if self.start_dim == 2 and self.end_dim == -1 then
        return ""
    end
    return ("%d, %d"):format(self.start_dim, self.end_dim)
end

local dropout_spec = {{"p", "share", 0.5}}

--- In training mode, zeroes each element with probability p (0.5) and scales the others by 1 / (1 - p); else passes
--- its input on (Srivastava et al., Dropout, JMLR 2014).
local Dropout = class("Dropout")
layers.Dropout = Dropout

function Dropout:init(...)
    self.p = options.read("Dropout", dropout_spec, ...).p
end

function Dropout:forward(x)
    return self.training and dropout(x, self.p, true) or x
end

function Dropout:extra_repr()
    return tostring(self.p)
end

--- In training mode zeroes whole channels of (n, c, l) or (c, l) with probability p (0.5) and scales the others by
--- 1 / (1 - p).
--- > nn.Dropout1d(1)(tocha.ones(1, 2, 2)):flatten()
--- tensor({0, 0, 0, 0})
layers.Dropout1d = applied("Dropout1d", dropout_spec, function(self, x)
    return core.dropout1d(x, self.p, self.training)
end)

--- Dropout1d for images (n, c, h, w) or (c, h, w).
--- > nn.Dropout2d():eval()(tocha.ones(1, 1, 2, 2)):flatten()
--- tensor({1, 1, 1, 1})
layers.Dropout2d = applied("Dropout2d", dropout_spec, function(self, x)
    return core.dropout2d(x, self.p, self.training)
end)

--- Dropout1d for volumes (n, c, d, h, w) or (c, d, h, w).
--- > nn.Dropout3d():eval()(tocha.ones(1, 1, 2, 2, 2)).shape
--- 1x1x2x2x2
layers.Dropout3d = applied("Dropout3d", dropout_spec, function(self, x)
    return core.dropout3d(x, self.p, self.training)
end)

--- Dropout for what SELU gives: keeps mean 0 and variance 1 (Klambauer et al., NeurIPS 2017).
--- > nn.AlphaDropout():eval()(tocha.ones(2))
--- tensor({1, 1})
layers.AlphaDropout = applied("AlphaDropout", dropout_spec, function(self, x)
    return core.alpha_dropout(x, self.p, self.training)
end)

--- AlphaDropout of whole channels of (n, c, *).
--- > nn.FeatureAlphaDropout():eval()(tocha.ones(1, 2))
--- tensor({{1, 1}})
layers.FeatureAlphaDropout = applied("FeatureAlphaDropout", dropout_spec, function(self, x)
    return core.feature_alpha_dropout(x, self.p, self.training)
end)

local bilinear_spec = {
    {"in1_features", "size"}, {"in2_features", "size"}, {"out_features", "size"},
    {"bias", "boolean", true, made = true}, {"dtype", "float_dtype", "float32"}, {"device", "string", "cpu"},
}

--- x1 times weight times x2, plus bias: (*, in1_features) and (*, in2_features) give (*, out_features). weight:
--- (out_features, in1_features, in2_features), bias: (out_features), both uniform within 1 / sqrt(in1_features) at
--- first. Options: bias (true), dtype ("float32"), device ("cpu").
--- > nn.Bilinear(2, 3, 4)(tocha.zeros(5, 2), tocha.zeros(5, 3)).shape
--- 5x4
layers.Bilinear = applied("Bilinear", bilinear_spec, function(self, x1, x2)
    return core.bilinear(x1, x2, self.weight, self.bias)
end, function(self, o)
    local kind, bound = {dtype = o.dtype, device = o.device}, 1 / math.sqrt(math.max(1, o.in1_features))
    self.weight = parameter.make(core.empty({o.out_features, o.in1_features, o.in2_features}, kind))
    self.bias = o.bias and parameter.make(core.empty({o.out_features}, kind)) or nil
    for _, p in ipairs {self.weight, self.bias} do
        init.uniform_(p, -bound, bound)
    end
end)

local bag_spec = {
    {"num_embeddings", "size"}, {"embedding_dim", "size"}, {"max_norm", "number", optional = true},
    {"norm_type", "number", 2.0}, {"scale_grad_by_freq", "boolean", false}, {"mode", "string", "mean"},
    {"include_last_offset", "boolean", false}, {"padding_idx", "integer", optional = true},
    {"dtype", "float_dtype", "float32"}, {"device", "string", "cpu"},
}

--- The mean, "sum" or "max" (mode) of the rows of a table in each bag of positions: forward(input, offsets,
--- per_sample_weights) with bags as rows (n, l), or all positions in one vector and the offsets, from 1, at which bags
--- begin. weight: (num_embeddings, embedding_dim), normally distributed at first. Options as of tocha.embedding_bag.
--- > nn.EmbeddingBag(10, 3)(tocha.tensor({{1, 2}, {3, 4}})).shape
--- 2x3
layers.EmbeddingBag = applied("EmbeddingBag", bag_spec, function(self, input, offsets, per_sample_weights)
    return core.embedding_bag(input, self.weight, {
        offsets = offsets, max_norm = self.max_norm, norm_type = self.norm_type,
        scale_grad_by_freq = self.scale_grad_by_freq, mode = self.mode, per_sample_weights = per_sample_weights,
        include_last_offset = self.include_last_offset, padding_idx = self.padding_idx,
    })
end, function(self, o)
    self.weight = parameter.make(core.empty({o.num_embeddings, o.embedding_dim}, {dtype = o.dtype, device = o.device}))
    init.normal_(self.weight)
    if o.padding_idx then
        init.zeros_(self.weight:detach():select(1, o.padding_idx))
    end
end)

--- A class without arguments that applies one operator.
local function activation(name, op)
    local new = class(name)
    layers[name] = new
    function new.init(_, ...)
        options.read(name, {}, ...)
    end
    function new.forward(_, x)
        return op(x)
    end
end

activation("ReLU", core.relu)
activation("Tanh", core.tanh)
activation("Sigmoid", core.sigmoid)
activation("Identity", function(x) return x end)

--- A class with the argument dim that applies one operator along it.
local function activation_along(name, op)
    local new = class(name)
    layers[name] = new
    function new:init(...)
        self.dim = options.read(name, {{"dim", "integer"}}, ...).dim
    end
    function new:forward(x)
        return op(x, self.dim)
    end
    function new:extra_repr()
        return tostring(self.dim)
    end
end

activation_along("Softmax", core.softmax)
activation_along("LogSoftmax", core.log_softmax)

return layers
