--- Attention with several heads, as a module.

local core = require "tocha.core"
local init = require "nn.initializers"
local multihead = require "nn.multihead"
local options = require "tocha.options"
local parameter = require "nn.parameter"
local raise = require "tocha.raise"
local class = require("nn.module").class

local attention = {}

local module_spec = {
    {"embed_dim", "count"},
    {"num_heads", "count"},
    {"dropout", "share", 0.0},
    {"bias", "boolean", true},
    {"batch_first", "boolean", false},
    {"dtype", "float_dtype", "float32"},
    {"device", "string", "cpu"},
}

--- Attention of several heads over query (L, N, E), key and value (S, N, E), or (N, L, E) with batch_first; returns
--- the output and the weights. Options: dropout (0), bias (true), batch_first (false), dtype ("float32"), device
--- ("cpu"). forward's options: key_padding_mask, need_weights (true), attn_mask, average_attn_weights (true),
--- is_causal (false).
local MultiheadAttention = class("MultiheadAttention")
attention.MultiheadAttention = MultiheadAttention

function MultiheadAttention:init(...)
    local o = options.read("MultiheadAttention", module_spec, ...)
    if o.embed_dim % o.num_heads ~= 0 then
        raise("MultiheadAttention: num_heads must divide embed_dim, got %d and %d", o.num_heads, o.embed_dim)
    end
    local kind, e = {dtype = o.dtype, device = o.device}, o.embed_dim
    self.embed_dim, self.num_heads, self.dropout, self.batch_first = e, o.num_heads, o.dropout, o.batch_first
    self.in_proj_weight = parameter.make(core.empty({3 * e, e}, kind))
    self.out_proj_weight = parameter.make(core.empty({e, e}, kind))
    init.xavier_uniform_(self.in_proj_weight)
    init.layer_(self.out_proj_weight)
    if o.bias then
        self.in_proj_bias = parameter.make(core.zeros({3 * e}, kind))
        self.out_proj_bias = parameter.make(core.zeros({e}, kind))
    end
end

function MultiheadAttention:forward(query, key, value, more)
    local turned = self.batch_first and core.is_tensor(query) and query:dim() == 3
    local function turn(x)
        return turned and x:transpose(1, 2) or x
    end
    local named = {
        query = turn(query), key = turn(key), value = turn(value), embed_dim_to_check = self.embed_dim,
        num_heads = self.num_heads, in_proj_weight = self.in_proj_weight, in_proj_bias = self.in_proj_bias,
        out_proj_weight = self.out_proj_weight, out_proj_bias = self.out_proj_bias, dropout_p = self.dropout,
        training = self.training,
    }
    for name, option in pairs(more or {}) do
        named[name] = option
    end
    local out, weights = multihead(named)
    return turn(out), weights
end

function MultiheadAttention:extra_repr()
    return ("%d, %d"):format(self.embed_dim, self.num_heads)
end

return attention
