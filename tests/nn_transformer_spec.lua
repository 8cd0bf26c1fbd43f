--- nn's transformers, the containers by name, and what attention takes besides.

local tocha = require "tocha"
local nn = require "nn"

local function message(fn, ...)
    local ok, text = pcall(fn, ...)
    assert.is_false(ok)
    return text
end

local function near(a, b)
    assert.equal(tostring(a.shape), tostring(b.shape))
    assert.is_true((a - b):abs():max():item() < 1e-5)
end

local function count(module)
    local n = 0
    for _, p in ipairs(module:parameters()) do
        n = n + p:numel()
    end
    return n
end

describe("a transformer", function()
    tocha.manual_seed(7)
    local x, memory = tocha.randn(5, 2, 8), tocha.randn(6, 2, 8)
    local hidden = tocha.tensor {{false, false, false, false, true}, {false, false, false, true, true}}

    it("has layers that attend, feed forward and normalise", function()
        local layer = nn.TransformerEncoderLayer(8, 2, 16, {activation = "gelu"}):eval()
        local mask = nn.Transformer.generate_square_subsequent_mask(5)
        local attended = layer.self_attn(x, x, x, {attn_mask = mask, key_padding_mask = hidden})
        local y = layer.norm1(x + attended)
        y = layer.norm2(y + layer.linear2(layer.linear1(y):gelu()))
        near(y, layer(x, mask, hidden))
        near(y, layer(x, {src_mask = mask, src_key_padding_mask = hidden}))
        near(y, layer(x, {is_causal = true, src_key_padding_mask = hidden}))
        local before = nn.TransformerEncoderLayer(8, 2, 16, {norm_first = true, activation = tocha.tanh}):eval()
        local z = before.norm1(x)
        z = x + before.self_attn(z, z, z)
        z = z + before.linear2(before.linear1(before.norm2(z)):tanh())
        near(z, before(x))
        assert.is_false(layer:train()(x):equal(layer(x)))
    end)

    it("decodes with the encoder's memory", function()
        local layer = nn.TransformerDecoderLayer(8, 2, 16):eval()
        local own = nn.Transformer.generate_square_subsequent_mask(5)
        local y = layer.norm1(x + layer.self_attn(x, x, x, {attn_mask = own}))
        y = layer.norm2(y + layer.multihead_attn(y, memory, memory))
        y = layer.norm3(y + layer.linear2(layer.linear1(y):relu()))
        near(y, layer(x, memory, own))
        near(y, layer(x, memory, {tgt_is_causal = true}))
    end)

    it("stacks copies of its layers", function()
        local layer = nn.TransformerEncoderLayer(8, 2, 16, {dropout = 0, batch_first = true}):double()
        local encoder = nn.TransformerEncoder(layer, 3, nn.LayerNorm(8):double())
        assert.equal(3 * count(layer) + 16, count(encoder))
        local turned = x:double():transpose(1, 2)
        local y = encoder.norm(layer(layer(layer(turned))))
        assert.is_true((y - encoder(turned)):abs():max():item() < 1e-12)
        tocha.no_grad(function() encoder.layers[1].linear1.weight:zero_() end)
        assert.is_false(encoder.layers[2].linear1.weight:eq(0):any():item())
        local decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16), 2)
        assert.equal("5x2x8", tostring(decoder(x, memory, {tgt_is_causal = true}).shape))
    end)

    it("is an encoder and a decoder, and learns", function()
        local net = nn.Transformer(8, 2, 1, 2, 16, {dropout = 0})
        near(net.decoder(x, net.encoder(memory)), net(memory, x))
        assert.is_true(net.encoder.layers[1].linear1.weight:abs():max():item() <= math.sqrt(6 / 24))
        local target = tocha.randn(5, 2, 8)
        local adam = require("optim").Adam(net:parameters(), {lr = 0.01})
        local first, last
        for _ = 1, 30 do
            adam:zero_grad()
            local loss = (net(memory, x) - target):square():mean()
            loss:backward()
            adam:step()
            first, last = first or loss:item(), loss:item()
        end
        assert.is_true(last < 0.7 * first)
    end)

    it("says what is wrong in a sentence", function()
        assert.matches('activation must be "relu", "gelu" or a function, got "tanh"',
            message(nn.TransformerEncoderLayer, 8, 2, {activation = "tanh"}))
        assert.matches("TransformerEncoder: layer must be a TransformerEncoderLayer, got",
            message(nn.TransformerEncoder, nn.ReLU(), 2))
        assert.matches("Transformer: the encoder must have at least one layer", message(nn.Transformer, 8, 2, 0))
    end)
end)

describe("MultiheadAttention", function()
    it("takes keys and values of other sizes, and adds one more of each", function()
        tocha.manual_seed(8)
        local layer = nn.MultiheadAttention(8, 2, {kdim = 3, vdim = 5, add_bias_kv = true, add_zero_attn = true})
        local q, k, v = tocha.randn(4, 2, 8), tocha.randn(6, 2, 3), tocha.randn(6, 2, 5)
        local out, weights = layer(q, k, v)
        local expected = nn.functional.multi_head_attention_forward(q, k, v, 8, 2, {
            in_proj_bias = layer.in_proj_bias, bias_k = layer.bias_k, bias_v = layer.bias_v, add_zero_attn = true,
            out_proj_weight = layer.out_proj_weight, out_proj_bias = layer.out_proj_bias,
            use_separate_proj_weight = true, q_proj_weight = layer.q_proj_weight,
            k_proj_weight = layer.k_proj_weight, v_proj_weight = layer.v_proj_weight,
        })
        near(expected, out)
        assert.equal("2x4x8", tostring(weights.shape))
    end)
end)

describe("containers by name", function()
    it("hold modules", function()
        local dict = nn.ModuleDict {b = nn.Linear(2, 3), a = nn.ReLU()}
        assert.same({"a", "b"}, dict:keys())
        assert.equal("Linear(2, 3)", tostring(dict:get("b")))
        assert.equal(2, #dict:parameters())
        dict:set("c", nn.Linear(3, 1)):update {a = nn.Tanh()}
        assert.equal("Tanh()", tostring(dict:get("a")))
        assert.is_true(dict:state_dict()["entries.c.weight"] ~= nil)
        assert.matches("ModuleDict: a must be a module, got 3", message(nn.ModuleDict, {a = 3}))
        assert.matches("ModuleDict: keys must be strings without dots", message(dict.set, dict, "a.b", nn.ReLU()))
        assert.matches("ModuleDict: holds entries and cannot be called", message(dict))
    end)

    it("hold parameters", function()
        local dict = nn.ParameterDict {w = tocha.ones(2)}
        assert.is_true(dict:get("w").requires_grad)
        assert.equal(1, #dict:parameters())
        assert.matches("ParameterDict: w must be a tensor, got 3", message(nn.ParameterDict, {w = 3}))
        local list = nn.ParameterList {tocha.ones(2), tocha.zeros(3)}
        assert.equal(2, #list)
        assert.equal(3, #list:append(tocha.ones(1)):parameters())
        assert.matches("ParameterList: entry 4 must be a tensor, got nil", message(list.append, list))
    end)
end)
