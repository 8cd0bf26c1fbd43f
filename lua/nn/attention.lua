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
    {"add_bias_kv", "boolean", false},
    {"add_zero_attn", "boolean", false},
    {"kdim", "count", optional = true},
    {"vdim", "count", optional = true},
    {"batch_first", "boolean", false},
    {"dtype", "float_dtype", "float32"},
    {"device", "string", "cpu"},
}

--- Attention of several heads over query (L, N, E), key and value (S, N, E), or (N, L, E) with batch_first; returns
--- the output and the weights. Options: dropout (0), bias (true), add_bias_kv (false), one more key and value that are
--- learned; add_zero_attn (false), one more of zeros; kdim and vdim, the sizes of key and value where they are not E;
--- batch_first (false), dtype ("float32"), device ("cpu"). forward's options: key_padding_mask, need_weights (true),
--- attn_mask, average_attn_weights (true), is_causal (false).
local MultiheadAttention = class("MultiheadAttention")
attention.MultiheadAttention = MultiheadAttention

function MultiheadAttention:init(...)
    local o = options.read("MultiheadAttention", module_spec, ...)
    if o.embed_dim % o.num_heads ~= 0 then
        raise("MultiheadAttention: num_heads must divide embed_dim, got %d and %d", o.num_heads, o.embed_dim)
    end
    local kind, e = {dtype = o.dtype, device = o.device}, o.embed_dim
    self.embed_dim, self.num_heads, self.dropout, self.batch_first = e, o.num_heads, o.dropout, o.batch_first
    self.add_zero_attn = o.add_zero_attn
    self.kdim, self.vdim = o.kdim or e, o.vdim or e
    local function weight(name, rows, columns)
        self[name] = parameter.make(core.empty({rows, columns}, kind))
        init.xavier_uniform_(self[name])
    end
    if self.kdim == e and self.vdim == e then
        weight("in_proj_weight", 3 * e, e)
    else
        weight("q_proj_weight", e, e)
        weight("k_proj_weight", e, self.kdim)
        weight("v_proj_weight", e, self.vdim)
    end
    self.out_proj_weight = parameter.make(core.empty({e, e}, kind))
    init.layer_(self.out_proj_weight)
    if o.add_bias_kv then
        for _, name in ipairs {"bias_k", "bias_v"} do
            self[name] = parameter.make(core.empty({1, 1, e}, kind))
            init.xavier_normal_(self[name])
        end
    end
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
        training = self.training, bias_k = self.bias_k, bias_v = self.bias_v, add_zero_attn = self.add_zero_attn,
        use_separate_proj_weight = self.q_proj_weight ~= nil, q_proj_weight = self.q_proj_weight,
        k_proj_weight = self.k_proj_weight, v_proj_weight = self.v_proj_weight,
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
