--- nn's recurrent networks and cells, and sequences of different lengths.

local tocha = require "tocha"
local nn = require "nn"

local rnn = nn.utils.rnn

local function message(fn, ...)
    local ok, text = pcall(fn, ...)
    assert.is_false(ok)
    return text
end

local function near(a, b)
    assert.equal(tostring(a.shape), tostring(b.shape))
    assert.is_true((a - b):abs():max():item() < 1e-5)
end

local function names(module)
    local list = {}
    for name, p in module:named_parameters() do
        list[#list + 1] = name .. " " .. tostring(p.shape)
    end
    return table.concat(list, ", ")
end

local t = tocha.tensor

describe("a recurrent network", function()
    it("has PyTorch's parameters, counted from 1", function()
        assert.equal("weight_ih_l1 8x3, weight_hh_l1 8x2, bias_ih_l1 8, bias_hh_l1 8, weight_ih_l1_reverse 8x3, " ..
            "weight_hh_l1_reverse 8x2, bias_ih_l1_reverse 8, bias_hh_l1_reverse 8", names(nn.LSTM(3, 2,
                {bidirectional = true})))
        assert.equal("weight_ih_l1 6x3, weight_hh_l1 6x2, weight_ih_l2 6x2, weight_hh_l2 6x2",
            names(nn.GRU(3, 2, 2, false)))
        assert.equal("weight_ih_l1 12x4, weight_hh_l1 12x2, bias_ih_l1 12, bias_hh_l1 12, weight_hr_l1 2x3",
            names(nn.LSTM(4, 3, {proj_size = 2})))
        assert.equal("weight_ih 2x3, weight_hh 2x2, bias_ih 2, bias_hh 2", names(nn.RNNCell(3, 2)))
        assert.equal("weight_ih 8x3, weight_hh 8x2", names(nn.LSTMCell(3, 2, false)))
        local net = nn.RNN(100, 16)
        local largest = net.weight_ih_l1:abs():max():item()
        assert.is_true(largest <= 0.25 and largest > 0.24)
    end)

    it("prints what differs from the defaults", function()
        assert.equal("LSTM(3, 4, {num_layers = 2, bidirectional = true})",
            tostring(nn.LSTM(3, 4, 2, {bidirectional = true})))
        assert.equal('RNN(3, 4, {nonlinearity = "relu"})', tostring(nn.RNN(3, 4, {nonlinearity = "relu"})))
        assert.equal("GRUCell(3, 4, {bias = false})", tostring(nn.GRUCell(3, 4, {bias = false})))
    end)

    it("gives what its function gives", function()
        tocha.manual_seed(1)
        local x = tocha.randn(5, 2, 3)
        local h0, c0 = tocha.randn(4, 2, 4), tocha.randn(4, 2, 4)
        local lstm = nn.LSTM(3, 4, {num_layers = 2, bidirectional = true})
        local out, last = lstm(x, {h0, c0})
        local expected, h, c = tocha.lstm(x, {h0, c0}, lstm:parameters(), true, 2, {bidirectional = true})
        near(expected, out)
        near(h, last[1])
        near(c, last[2])
        local first = lstm(x)
        near(lstm(x, {h0 * 0, c0 * 0}), first)
        for _, case in ipairs {
            {nn.GRU(3, 4, 2, {bidirectional = true}), tocha.gru},
            {nn.RNN(3, 4, 2, {bidirectional = true}), tocha.rnn_tanh},
            {nn.RNN(3, 4, 2, "relu", {bidirectional = true}), tocha.rnn_relu},
        } do
            local net, op = table.unpack(case)
            out, last = net(x, h0)
            expected, h = op(x, h0, net:parameters(), true, 2, {bidirectional = true})
            near(expected, out)
            near(h, last)
            local turned = net._name == "GRU" and nn.GRU(3, 4, 2, {bidirectional = true, batch_first = true})
            if turned then
                turned:load_state_dict(net:state_dict())
                near(out:transpose(1, 2), (turned(x:transpose(1, 2), h0)))
                near(turned(x:transpose(1, 2))[1], (turned(x:select(2, 1))))
            end
        end
    end)

    it("is its cell, step by step", function()
        tocha.manual_seed(2)
        local x = tocha.randn(4, 2, 3)
        for _, case in ipairs {{nn.LSTM(3, 5), nn.LSTMCell(3, 5)}, {nn.GRU(3, 5), nn.GRUCell(3, 5)},
            {nn.RNN(3, 5), nn.RNNCell(3, 5)},
            {nn.RNN(3, 5, {nonlinearity = "relu"}), nn.RNNCell(3, 5, {nonlinearity = "relu"})}} do
            local net, cell = table.unpack(case)
            local state = {}
            for name, p in pairs(net:state_dict()) do
                state[name:gsub("_l1$", "")] = p
            end
            cell:load_state_dict(state)
            local out = net(x)
            local h, c
            for step = 1, 4 do
                h, c = cell(x[step], h and (c and {h, c} or h) or nil)
                near(out[step], h)
            end
        end
    end)

    it("drops out between layers in training alone", function()
        local net = nn.LSTM(3, 4, 2, {dropout = 0.5})
        local x = tocha.randn(5, 2, 3)
        assert.is_false((net(x)):equal((net(x))))
        net:eval()
        assert.is_true((net(x)):equal((net(x))))
    end)

    it("says what is wrong in a sentence", function()
        assert.matches("GRU%(3, 4%): expected input of shape %(steps, n, 3%), %(steps, 3%) or a packed .*got 5x2",
            message(nn.GRU(3, 4), tocha.zeros(5, 2)))
        assert.matches("LSTM: proj_size must be less than hidden_size, got 4 and 4",
            message(nn.LSTM, 3, 4, {proj_size = 4}))
        assert.matches('RNN: nonlinearity must be "tanh" or "relu", got "elu"',
            message(nn.RNN, 3, 4, {nonlinearity = "elu"}))
        assert.matches("GRUCell%(3, 4%): expected input of shape %(n, 3%) or %(3%), got 2x2",
            message(nn.GRUCell(3, 4), tocha.zeros(2, 2)))
    end)
end)

describe("sequences of different lengths", function()
    local list = {t {{1., 2.}, {3., 4.}}, t {{5., 6.}, {7., 8.}, {9., 10.}}, t {{11., 12.}}}
    local data = t {{5., 6.}, {1., 2.}, {11., 12.}, {7., 8.}, {3., 4.}, {9., 10.}}

    it("are packed and unpacked", function()
        local packed = rnn.pack_sequence(list, {enforce_sorted = false})
        assert.is_true(packed.data:equal(data))
        assert.same({3, 2, 1}, packed.batch_sizes:tolist())
        assert.same({2, 1, 3}, packed.sorted_indices:tolist())
        assert.same({2, 1, 3}, packed.unsorted_indices:tolist())
        for i, x in ipairs(rnn.unpack_sequence(packed)) do
            assert.is_true(x:equal(list[i]))
        end
        local padded, lengths = rnn.pad_packed_sequence(packed,
            {batch_first = true, padding_value = -1, total_length = 4})
        assert.same({2, 3, 1}, lengths:tolist())
        assert.equal("3x4x2", tostring(padded.shape))
        assert.same({{11, 12}, {-1, -1}, {-1, -1}, {-1, -1}}, padded[3]:tolist())
        local again = rnn.pack_padded_sequence(padded, lengths, {batch_first = true, enforce_sorted = false})
        assert.is_true(again.data:equal(data))
        assert.equal("float64", packed:to("float64").data.dtype)
        local sorted = rnn.pack_sequence {list[2], list[1], list[3]}
        assert.is_true(sorted.data:equal(data))
        assert.is_nil(sorted.sorted_indices)
    end)

    it("are padded on either side", function()
        local padded = rnn.pad_sequence(list)
        assert.equal("3x3x2", tostring(padded.shape))
        assert.same({{1, 2}, {5, 6}, {11, 12}}, padded[1]:tolist())
        local left = rnn.pad_sequence(list, {batch_first = true, padding_side = "left", padding_value = 9})
        assert.same({{9, 9}, {9, 9}, {11, 12}}, left[3]:tolist())
        for i, x in ipairs(rnn.unpad_sequence(padded, t {2, 3, 1})) do
            assert.is_true(x:equal(list[i]))
        end
    end)

    it("carry gradients through", function()
        local leaves = {}
        for i, x in ipairs(list) do
            leaves[i] = x:double():requires_grad_()
        end
        assert.is_true(tocha.autograd.gradcheck(function(...)
            return (rnn.pad_packed_sequence(rnn.pack_sequence({...}, {enforce_sorted = false}))):square()
        end, leaves))
    end)

    it("go through networks as each would alone", function()
        tocha.manual_seed(3)
        local packed = rnn.pack_sequence(list, {enforce_sorted = false})
        for _, net in ipairs {
            nn.LSTM(2, 4, 2, {bidirectional = true}), nn.GRU(2, 4, {bidirectional = true}), nn.RNN(2, 4, 2),
            nn.LSTM(2, 4, {proj_size = 3, bidirectional = true}),
        } do
            local out, last = net(packed)
            local each = rnn.unpack_sequence(out)
            for i, x in ipairs(list) do
                local alone, h = net(x)
                near(alone, each[i])
                if net._name == "LSTM" then
                    near(h[1], last[1]:select(2, i))
                    near(h[2], last[2]:select(2, i))
                else
                    near(h, last:select(2, i))
                end
            end
            local h0 = net._name == "GRU" and tocha.randn(2, 3, 4)
            if h0 then
                near((net(list[1], h0:select(2, 1))), rnn.unpack_sequence((net(packed, h0)))[1])
            end
        end
    end)

    it("say what is wrong in a sentence", function()
        local x = tocha.zeros(3, 2)
        for _, case in ipairs {
            {rnn.pack_padded_sequence, {x, {1, 3}}, "lengths must not grow; give {enforce_sorted = false}"},
            {rnn.pack_padded_sequence, {x, {3}}, "lengths must be 2 whole numbers, one for each sequence"},
            {rnn.pack_padded_sequence, {x, {4, 1}}, "length 1 must be a whole number in %[1, 3%], got 4"},
            {rnn.pack_padded_sequence, {x, {3, 0}}, "length 2 must be a whole number in %[1, 3%], got 0"},
            {rnn.pack_padded_sequence, {3, {1}}, "input must be a tensor %(steps, n, %*%), got 3"},
            {rnn.pack_padded_sequence, {tocha.zeros(3, 0), {}}, "input must hold at least one sequence, got shape 3x0"},
            {rnn.pad_packed_sequence, {x}, "sequence must be a PackedSequence, got a tensor"},
            {rnn.pad_packed_sequence, {rnn.pack_padded_sequence(x, {3, 1}), {total_length = 2}},
                "total_length must be a whole number from 3, the length of the longest, got 2"},
            {rnn.pad_sequence, {{}}, "sequences must be a list of tensors, got a table"},
            {rnn.pad_sequence, {{t(1)}}, "sequence 1 must be a tensor %(steps, %*%), got a tensor of shape"},
            {rnn.pad_sequence, {{x}, {padding_side = "top"}}, 'padding_side must be "right" or "left", got "top"'},
        } do
            assert.matches(case[3], message(case[1], table.unpack(case[2])))
        end
    end)
end)
