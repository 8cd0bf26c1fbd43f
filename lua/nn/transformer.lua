--- Transformers (Vaswani et al., Attention is all you need, NeurIPS 2017) as modules.

local applied = require "nn.applied"
local attention = require "nn.attention"
local containers = require "nn.containers"
local core = require "tocha.core"
local init = require "nn.initializers"
local layers = require "nn.layers"
local module = require "nn.module"
local norms = require "nn.norms"
local options = require "tocha.options"
local raise = require "tocha.raise"

local transformer = {}

local activations = {relu = core.relu, gelu = core.gelu}

--- "relu", "gelu" or a function of a tensor.
local function read_activation(who, value)
    local f = type(value) == "function" and value or activations[value]
    if not f then
        raise('%s: activation must be "relu", "gelu" or a function, got %s', who, options.describe(value))
    end
    return f
end

local layer_spec = {
    {"d_model", "count"}, {"nhead", "count"}, {"dim_feedforward", "count", 2048}, {"dropout", "share", 0.1},
    {"activation", "any", "relu"}, {"layer_norm_eps", "rate", 1e-5}, {"batch_first", "boolean", false},
    {"norm_first", "boolean", false}, {"bias", "boolean", true}, {"dtype", "float_dtype", "float32"},
    {"device", "string", "cpu"},
}

local function new_attention(o)
    return attention.MultiheadAttention(o.d_model, o.nhead, {
        dropout = o.dropout, bias = o.bias, batch_first = o.batch_first, dtype = o.dtype, device = o.device,
    })
end

local function new_norm(o)
    return norms.LayerNorm(o.d_model, {eps = o.layer_norm_eps, bias = o.bias, dtype = o.dtype, device = o.device})
end

--- The parts that both kinds of layers have; norms: how many norms and dropouts.
local function make_feedforward(self, o, count)
    local kind = {bias = o.bias, dtype = o.dtype, device = o.device}
    self._activation = read_activation(self._name, o.activation)
    self.linear1 = layers.Linear(o.d_model, o.dim_feedforward, kind)
    self.dropout_inside = layers.Dropout(o.dropout)
    self.linear2 = layers.Linear(o.dim_feedforward, o.d_model, kind)
    for i = 1, count do
        self["norm" .. i] = new_norm(o)
    end
    for i = 1, count do
        self["dropout" .. i] = layers.Dropout(o.dropout)
    end
end

local function feedforward(self, x)
    return self.linear2(self.dropout_inside(self._activation(self.linear1(x))))
end

--- x plus what part makes of it, normalised before or after by norm i.
local function with_residual(self, i, x, part)
    local norm, dropout = self["norm" .. i], self["dropout" .. i]
    if self.norm_first then
        return x + dropout(part(norm(x)))
    end
    return norm(x + dropout(part(x)))
end

--- One layer of an encoder: attention of the sequence to itself, then a feedforward network, each with residual,
--- dropout and norm. forward(src, src_mask, src_key_padding_mask, is_causal), or these masks by name. src: (S, n,
--- d_model), or (n, S, d_model) with batch_first; a mask is true where a key is hidden, or numbers to add. Options:
--- dim_feedforward (2048), dropout (0.1), activation ("relu", "gelu" or a function), layer_norm_eps (1e-5), batch_first
--- (false), norm_first (false), bias (true), dtype ("float32"), device ("cpu").
--- > nn.TransformerEncoderLayer(8, 2)(tocha.zeros(5, 3, 8)).shape
--- 5x3x8
transformer.TransformerEncoderLayer = applied("TransformerEncoderLayer", layer_spec, function(self, ...)
    local o = options.read(self._name, {
        {"src", "tensor"}, {"src_mask", "tensor", optional = true},
        {"src_key_padding_mask", "tensor", optional = true}, {"is_causal", "boolean", false},
    }, ...)
    local x = with_residual(self, 1, o.src, function(y)
        return (self.self_attn(y, y, y, {
            attn_mask = o.src_mask, key_padding_mask = o.src_key_padding_mask, is_causal = o.is_causal,
            need_weights = false,
        }))
    end)
    return with_residual(self, 2, x, function(y) return feedforward(self, y) end)
end, function(self, o)
    self.self_attn = new_attention(o)
    make_feedforward(self, o, 2)
end)

--- One layer of a decoder: attention of the target to itself, attention to the encoder's memory, then a feedforward
--- network. forward(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal,
--- memory_is_causal), or what follows memory by name. Options as of TransformerEncoderLayer.
--- > nn.TransformerDecoderLayer(8, 2)(tocha.zeros(4, 3, 8), tocha.zeros(5, 3, 8)).shape
--- 4x3x8
transformer.TransformerDecoderLayer = applied("TransformerDecoderLayer", layer_spec, function(self, ...)
    local o = options.read(self._name, {
        {"tgt", "tensor"}, {"memory", "tensor"}, {"tgt_mask", "tensor", optional = true},
        {"memory_mask", "tensor", optional = true}, {"tgt_key_padding_mask", "tensor", optional = true},
        {"memory_key_padding_mask", "tensor", optional = true}, {"tgt_is_causal", "boolean", false},
        {"memory_is_causal", "boolean", false},
    }, ...)
    local x = with_residual(self, 1, o.tgt, function(y)
        return (self.self_attn(y, y, y, {
            attn_mask = o.tgt_mask, key_padding_mask = o.tgt_key_padding_mask, is_causal = o.tgt_is_causal,
            need_weights = false,
        }))
    end)
    x = with_residual(self, 2, x, function(y)
        return (self.multihead_attn(y, o.memory, o.memory, {
            attn_mask = o.memory_mask, key_padding_mask = o.memory_key_padding_mask, is_causal = o.memory_is_causal,
            need_weights = false,
        }))
    end)
    return with_residual(self, 3, x, function(y) return feedforward(self, y) end)
end, function(self, o)
    self.self_attn = new_attention(o)
    self.multihead_attn = new_attention(o)
    make_feedforward(self, o, 3)
end)

--- Values of another module of the same class and settings.
local function copy_of(layer)
    local copy = getmetatable(layer).class(layer._settings)
    local p = layer.linear1.weight
    copy:to {dtype = p.dtype, device = tostring(p.device)}
    copy:load_state_dict(layer:state_dict())
    return copy:train(layer.training)
end

for _, class in pairs(transformer) do
    local make = class.init
    function class:init(...)
        make(self, ...)
        self._settings = options.read(self._name, layer_spec, ...)
    end
end

local function stack_of(name, parent)
    local spec = {
        {"layer", "any", made = true}, {"num_layers", "count"}, {"norm", "any", optional = true, made = true},
    }
    return spec, function(self, o)
        local is = module.is_module(o.layer) and getmetatable(o.layer).class == parent
        if not is then
            raise("%s: layer must be a %s, got %s", name, parent._name, options.describe(o.layer))
        elseif o.norm ~= nil and not module.is_module(o.norm) then
            raise("%s: norm must be a module, got %s", name, options.describe(o.norm))
        end
        local list = {}
        for i = 1, o.num_layers do
            list[i] = copy_of(o.layer)
        end
        self.layers = containers.ModuleList(list)
        self.norm = o.norm
    end
end

local encoder_spec, make_encoder = stack_of("TransformerEncoder", transformer.TransformerEncoderLayer)

--- num_layers layers, copies of layer, one after the other, and a last norm if one is given: forward(src, mask,
--- src_key_padding_mask, is_causal), or the masks by name.
--- > nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2), 3)(tocha.zeros(5, 2, 8)).shape
--- 5x2x8
transformer.TransformerEncoder = applied("TransformerEncoder", encoder_spec, function(self, ...)
    local o = options.read(self._name, {
        {"src", "tensor"}, {"mask", "tensor", optional = true}, {"src_key_padding_mask", "tensor", optional = true},
        {"is_causal", "boolean", false},
    }, ...)
    local x = o.src
    for i = 1, #self.layers do
        x = self.layers[i](x, {
            src_mask = o.mask, src_key_padding_mask = o.src_key_padding_mask, is_causal = o.is_causal,
        })
    end
    return self.norm and self.norm(x) or x
end, make_encoder)

local decoder_spec, make_decoder = stack_of("TransformerDecoder", transformer.TransformerDecoderLayer)

--- num_layers layers, copies of layer, one after the other, and a last norm if one is given; forward as of
--- TransformerDecoderLayer.
--- > nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2), 3)(tocha.zeros(4, 2, 8), tocha.zeros(5, 2, 8)).shape
--- 4x2x8
transformer.TransformerDecoder = applied("TransformerDecoder", decoder_spec, function(self, tgt, memory, ...)
    local x = tgt
    for i = 1, #self.layers do
        x = self.layers[i](x, memory, ...)
    end
    return self.norm and self.norm(x) or x
end, make_decoder)

for _, name in ipairs {"TransformerEncoder", "TransformerDecoder"} do
    transformer[name].extra_repr = function() return "" end
end

local whole_spec = {
    {"d_model", "count", 512}, {"nhead", "count", 8}, {"num_encoder_layers", "size", 6},
    {"num_decoder_layers", "size", 6}, {"dim_feedforward", "count", 2048}, {"dropout", "share", 0.1},
    {"activation", "any", "relu"}, {"layer_norm_eps", "rate", 1e-5}, {"batch_first", "boolean", false},
    {"norm_first", "boolean", false}, {"bias", "boolean", true}, {"dtype", "float_dtype", "float32"},
    {"device", "string", "cpu"},
}

local forward_spec = {
    {"src", "tensor"}, {"tgt", "tensor"}, {"src_mask", "tensor", optional = true},
    {"tgt_mask", "tensor", optional = true}, {"memory_mask", "tensor", optional = true},
    {"src_key_padding_mask", "tensor", optional = true}, {"tgt_key_padding_mask", "tensor", optional = true},
    {"memory_key_padding_mask", "tensor", optional = true}, {"src_is_causal", "boolean", false},
    {"tgt_is_causal", "boolean", false}, {"memory_is_causal", "boolean", false},
}

--- An encoder and a decoder, each with a last norm; weights of more than one dim are uniform after Xavier at first.
--- forward(src, tgt, src_mask, tgt_mask, memory_mask, src_key_padding_mask, tgt_key_padding_mask,
--- memory_key_padding_mask, src_is_causal, tgt_is_causal, memory_is_causal), or what follows tgt by name. Options:
--- d_model (512), nhead (8), num_encoder_layers (6), num_decoder_layers (6), and those of TransformerEncoderLayer.
--- > nn.Transformer(8, 2, 1, 1, 16)(tocha.zeros(5, 2, 8), tocha.zeros(4, 2, 8)).shape
--- 4x2x8
transformer.Transformer = applied("Transformer", whole_spec, function(self, ...)
    local o = options.read("Transformer", forward_spec, ...)
    local memory = self.encoder(o.src, {
        mask = o.src_mask, src_key_padding_mask = o.src_key_padding_mask, is_causal = o.src_is_causal,
    })
    return self.decoder(o.tgt, memory, {
        tgt_mask = o.tgt_mask, memory_mask = o.memory_mask, tgt_key_padding_mask = o.tgt_key_padding_mask,
        memory_key_padding_mask = o.memory_key_padding_mask, tgt_is_causal = o.tgt_is_causal,
        memory_is_causal = o.memory_is_causal,
    })
end, function(self, o)
    local settings = {}
    for _, entry in ipairs(layer_spec) do
        settings[entry[1]] = o[entry[1]]
    end
    local function stack(kind, count)
        if count == 0 then
            raise("Transformer: the %s must have at least one layer", kind:lower())
        end
        return transformer["Transformer" .. kind](transformer["Transformer" .. kind .. "Layer"](settings), count,
            new_norm(o))
    end
    self.encoder = stack("Encoder", o.num_encoder_layers)
    self.decoder = stack("Decoder", o.num_decoder_layers)
    for _, p in ipairs(self:parameters()) do
        if p:dim() > 1 then
            init.xavier_uniform_(p)
        end
    end
end)

--- A mask that hides from each of size positions those behind it: minus infinity there, else 0.
--- > nn.Transformer.generate_square_subsequent_mask(2)
--- tensor({{   0, -inf},
---         {   0,    0}})
function transformer.Transformer.generate_square_subsequent_mask(size, kind)
    return core.full({size, size}, -math.huge, kind or {}):triu(1)
end

return transformer
