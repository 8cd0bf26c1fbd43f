--- Recurrent networks that the device's library computes as a whole, against the CPU's, and what goes layer by layer.

local nn = require "nn"
local optim = require "optim"
local tocha = require "tocha"
local expect = require "tests.support.expect"
local process = require "tests.support.process"
local with = require "tests.support.setting"

local cuda, cudnn = tocha.cuda, tocha.backends.cudnn

local on_host = os.getenv("TOCHA_HOSTGPU") ~= nil

local gates = {lstm = 4, gru = 3, rnn_tanh = 1, rnn_relu = 1}

--- Leaves of a network on the CPU: input, states and params; o: layers, directions, biases, dtype.
local function leaves_of(name, o)
    local t, n, input, h = 5, 3, 4, 6
    local layers, directions, biases = o.layers or 1, o.directions or 1, o.biases ~= false
    local function random(...)
        return (tocha.randn(...) * 0.4):to(o.dtype or "float64"):requires_grad_()
    end
    local list = {random(t, n, input), random(layers * directions, n, h)}
    if name == "lstm" then
        list[3] = random(layers * directions, n, h)
    end
    local k = gates[name]
    for stack = 0, layers * directions - 1 do
        local wide = stack < directions and input or directions * h
        list[#list + 1] = random(k * h, wide)
        list[#list + 1] = random(k * h, h)
        if biases then
            list[#list + 1] = random(k * h)
            list[#list + 1] = random(k * h)
        end
    end
    return list
end

local function on_device(list)
    local there = {}
    for i, t in ipairs(list) do
        there[i] = t:cuda():detach():requires_grad_()
    end
    return there
end

local function call(name, o, list)
    local two = name == "lstm"
    local hx = two and {list[2], list[3]} or list[2]
    return tocha[name](list[1], hx, {table.unpack(list, two and 4 or 3)}, o.biases ~= false, o.layers or 1,
        o.dropout or 0.0, o.train or false, o.directions == 2, o.batch_first or false)
end

--- A number made of all elements of outputs.
local function total(...)
    local sum
    for k, out in ipairs {...} do
        local angles = tocha.arange(out:numel(), {device = out.device, dtype = "float64"}):add(k):view(out.shape)
        local weights = angles:cos():to(out.dtype)
        sum = sum and sum + (out * weights):sum() or (out * weights):sum()
    end
    return sum
end

local function distance(there, here)
    return (there:cpu():double() - here:cpu():double()):abs():max():item()
end

local function near(tolerance, there, here)
    for i, t in ipairs(there) do
        local far = distance(t, here[i])
        assert.is_true(far <= tolerance, ("number %d is off by %g"):format(i, far))
    end
end

--- Whether the device's library has computed a result: rnn_network stands behind the first inputs.
local function is_whole(t)
    local at = t.grad_fn
    while at and at:name() ~= "rnn_network" do
        local first = at.next_functions[1]
        at = first and first[1]
    end
    return at ~= nil and at ~= false
end

local function is_network(name, o)
    return is_whole((call(name, o, on_device(leaves_of(name, o)))))
end

local tolerances = {float64 = 1e-12, float32 = 1e-5, float16 = 1e-2, bfloat16 = 8e-2}

--- Compares outputs and gradients with the CPU's.
local function check(name, o)
    local here = leaves_of(name, o)
    local there = on_device(here)
    local outs, results = {call(name, o, here)}, {call(name, o, there)}
    local tolerance = tolerances[o.dtype or "float64"]
    assert.is_true(is_whole(results[1]))
    near(tolerance, results, outs)
    if name == "rnn_relu" and tolerance > 1e-5 then
        return -- what is rounded at each step may get to the other side of the kink
    end
    near(5 * tolerance, tocha.grad(total(table.unpack(results)), there), tocha.grad(total(table.unpack(outs)), here))
end

describe("a network as a whole", function()
    before_each(function() tocha.manual_seed(5) end)

    it("gives what the CPU gives, and its gradients", function()
        for name in pairs(gates) do
            check(name, {})
            check(name, {layers = 3, directions = 2})
            check(name, {layers = 2, biases = false})
            for _, dtype in ipairs {"float32", "float16", "bfloat16"} do
                check(name, {layers = 2, directions = 2, dtype = dtype})
            end
        end
        local o = {batch_first = true}
        local here = leaves_of("gru", o)
        here[1] = tocha.randn(3, 5, 4, {dtype = "float64"}):requires_grad_()
        local there = on_device(here)
        near(1e-12, {call("gru", o, there)}, {call("gru", o, here)})
    end)

    it("gives gradients of single outputs, and of some arguments alone", function()
        local here = leaves_of("lstm", {layers = 2})
        local there = on_device(here)
        for k = 1, 3 do
            for _, i in ipairs {1, 3, 5} do
                local function grad(list)
                    return tocha.grad(total((select(k, call("lstm", {layers = 2}, list)))), {list[i]})
                end
                near(1e-12, grad(there), grad(here))
            end
        end
    end)

    it("takes strides of any kind", function()
        local here = leaves_of("lstm", {directions = 2})
        local there = {}
        for i, t in ipairs(here) do
            local x = t:detach():cuda()
            there[i] = (x:dim() > 1 and x:transpose(1, -1):contiguous():transpose(1, -1) or x):requires_grad_()
        end
        local o = {directions = 2}
        near(1e-12, {call("lstm", o, there)}, {call("lstm", o, here)})
        near(1e-11, tocha.grad(total(call("lstm", o, there)), there), tocha.grad(total(call("lstm", o, here)), here))
    end)

    it("keeps what it needs for another way back, and nothing without one", function()
        local there = on_device(leaves_of("gru", {layers = 2}))
        local sum = total(call("gru", {layers = 2}, there))
        local first = tocha.grad(sum, there, {retain_graph = true})
        local second = tocha.grad(sum, there)
        for i, g in ipairs(first) do
            assert.is_true(g:cpu() == second[i]:cpu())
        end
        local x, h = tocha.ones(2, 1, 3):cuda(), tocha.zeros(1, 1, 1):cuda()
        local w = {tocha.ones(1, 3):cuda(), tocha.ones(1, 1):cuda()}
        local kept = select(4, tocha.rnn_network(x, h, nil, w, "relu", false, 1, false, true))
        assert.is_true(kept:numel() > 0)
        assert.are.equal(0, select(4, tocha.rnn_network(x, h, nil, w, "relu", false)):numel())
        assert.matches("reserve must have shape %d+, got 1$", expect.message(tocha.rnn_network_backward, x[{{}, {},
            {1, 1}}], nil, nil, x, h, nil, x[{{}, {}, {1, 1}}], tocha.zeros(1, {dtype = "uint8", device = "cuda"}), w,
            "relu", false))
    end)

    it("has gradients of its gradients", function()
        for name in pairs(gates) do
            local o = {layers = 2, directions = name == "gru" and 2 or 1}
            local here = leaves_of(name, o)
            local function second(list)
                local first = tocha.grad(total(call(name, o, list)), list, {create_graph = true})
                return tocha.grad(total(table.unpack(first)), list)
            end
            near(1e-11, second(on_device(here)), second(here))
        end
    end)

    it("counts what stands twice among its arguments, or depends on another of them, once each", function()
        local function grads(device)
            tocha.manual_seed(8)
            local h = tocha.randn(1, 2, 3, {dtype = "float64"}):to {device = device}:requires_grad_()
            local w = tocha.randn(12, 3, {dtype = "float64"}):to {device = device}:requires_grad_()
            local sum = total(tocha.lstm(h:sin():expand(2, 2, 3) * w[1], {h, h}, {w, w}, false))
            local first = tocha.grad(sum, {h, w}, {create_graph = true})
            local second = tocha.grad(total(table.unpack(first)), {h, w})
            return {first[1]:detach(), first[2]:detach(), second[1], second[2]}
        end
        near(1e-11, grads("cuda"), grads("cpu"))
    end)

    it("goes layer by layer where it is switched off, drops out, projects or is packed", function()
        assert.is_true(is_network("lstm", {}))
        with(cudnn, "enabled", false, function()
            assert.is_false(is_network("lstm", {}))
            assert.matches("rnn_network: the library .* switched off", expect.message(tocha.rnn_network,
                tocha.ones(1, 1, 1):cuda(), tocha.ones(1, 1, 1):cuda(), nil, {tocha.ones(1, 1):cuda(),
                tocha.ones(1, 1):cuda()}, "relu", false))
        end)
        assert.is_true(is_network("gru", {layers = 2, dropout = 0.5}))
        assert.is_false(is_network("gru", {layers = 2, dropout = 0.5, train = true}))
        assert.is_true(is_network("gru", {dropout = 0.5, train = true}))
        local x = tocha.randn(4, 2, 3):cuda()
        assert.is_false(is_whole((nn.LSTM(3, 4, {proj_size = 2}):cuda()(x))))
        local packed = nn.utils.rnn.pack_padded_sequence(x, tocha.tensor({4, 2}, {dtype = "int64"}))
        assert.is_false(is_whole(nn.LSTM(3, 4):cuda()(packed).data))
    end)

    it("finishes what it has begun when it is switched off", function()
        local there = on_device(leaves_of("gru", {}))
        local sum = total(call("gru", {}, there))
        local expected = tocha.grad(sum, there, {retain_graph = true})
        with(cudnn, "enabled", false, function() near(0, tocha.grad(sum, there), expected) end)
    end)

    it("rounds float32 to TF32 where that is allowed, and gives the same bits again", function()
        local o = {layers = 2, dtype = "float32"}
        local there = on_device(leaves_of("lstm", o))
        local exact = call("lstm", o, there):cpu()
        assert.is_true(exact == call("lstm", o, there):cpu())
        with(cudnn, "allow_tf32", true, function()
            local far = distance(call("lstm", o, there), exact)
            assert.is_true(far < 1e-2 and (far > 0 or not on_host))
        end)
        assert.is_true(exact == call("lstm", o, there):cpu())
    end)

    it("is mapped over samples, and has Jacobians", function()
        local here = leaves_of("gru", {})
        local there = on_device(here)
        local function mapped(list)
            local inputs = tocha.stack({list[1], list[1] * 2, list[1] - 1}, 1)
            return tocha.func.vmap(function(x)
                return (call("gru", {}, {x, table.unpack(list, 2)}))
            end)(inputs)
        end
        near(1e-12, {mapped(there)}, {mapped(here)})
        local function jacobian(list, how)
            local function last(h) return select(2, call("gru", {}, {list[1], h, table.unpack(list, 3)})) end
            return tocha.func[how](last)(list[2])
        end
        for _, how in ipairs {"jacrev", "jacfwd"} do
            near(1e-11, {jacobian(there, how)}, {jacobian(here, how)})
        end
    end)

    it("runs again in a checkpoint", function()
        local there = on_device(leaves_of("lstm", {}))
        local expected = tocha.grad(total(call("lstm", {}, there)), there)
        local sum = total(tocha.autograd.checkpoint(function() return call("lstm", {}, there) end))
        near(0, tocha.grad(sum, there), expected)
    end)

    it("trains modules, in mixed precision too", function()
        for _, name in ipairs {"LSTM", "GRU", "RNN"} do
            for _, half in ipairs {false, true} do
                tocha.manual_seed(2)
                local net = nn[name](3, 4, {num_layers = 2, bidirectional = true}):cuda()
                local x = tocha.randn(6, 5, 3):cuda()
                local optimizer = optim.Adam(net:parameters(), {lr = 0.05})
                local first, last
                for _ = 1, 8 do
                    optimizer:zero_grad()
                    local out = half and tocha.autocast("cuda", {dtype = "bfloat16"}, net, x) or net(x)
                    assert.is_true(is_whole(out))
                    assert.are.equal(half and "bfloat16" or "float32", out.dtype)
                    local loss = (out:to("float32") - 0.3):pow(2):mean()
                    loss:backward()
                    optimizer:step()
                    last = loss:item()
                    first = first or last
                end
                assert.is_true(last < first)
            end
        end
    end)

    it("is recorded in a graph, with its gradients", function()
        local here = leaves_of("lstm", {layers = 2})
        local there = on_device(here)
        local function step(list)
            local out = call("lstm", {layers = 2}, list)
            return out, table.unpack(tocha.grad(total(out), list))
        end
        local results = table.pack(cuda.graph(function() return step(there) end))
        for round = 1, 2 do
            tocha.no_grad(function()
                here[1]:mul_(round)
                there[1]:copy_(here[1]:cuda())
            end)
            results[1]:replay()
            near(1e-11, {table.unpack(results, 2)}, {step(here)})
        end
    end)

    it("forgets the network that was used the longest time ago", function()
        local function of_size(n)
            local x, h = tocha.ones(2, 1, n):cuda(), tocha.zeros(1, 1, 1):cuda()
            local w = {tocha.full({1, n}, 1 / n):cuda(), tocha.ones(1, 1):cuda()}
            return tocha.rnn_network(x, h, nil, w, "relu", false):cpu():flatten()
        end
        for _ = 1, 2 do
            for n = 1, 80 do
                assert.is_true(of_size(n):allclose(tocha.tensor({1.0, 2.0})))
            end
        end
    end)

    if on_host then
        local program = [[
            local nn, tocha = require "nn", require "tocha"
            tocha.manual_seed(1)
            local net, x = nn.LSTM(3, 4, {num_layers = 2}), tocha.randn(5, 2, 3)
            local function grads(net, x)
                local out = net(x)
                return out, tocha.grad((out * out):sum(), net:parameters())
            end
            local here, expected = grads(net, x)
            local there, found = grads(net:cuda(), x:cuda())
            local off = (there:cpu() - here):abs():max():item()
            for i, g in ipairs(found) do
                off = math.max(off, (g:cpu() - expected[i]):abs():max():item())
            end
            print(tostring(there.grad_fn):match("rnn_network") or "layers", off < 1e-5)]]

        it("goes layer by layer where cuDNN is missing, too old, or refuses", function()
            assert.are.equal("layers\ttrue\n", process.run("HOSTGPU_MISSING=cuDNN", program))
            assert.are.equal("layers\ttrue\n", process.run("HOSTGPU_LACKING=cudnnRNNForward", program))
            assert.are.equal("layers\ttrue\n", process.run("HOSTGPU_DNN=none", program))
        end)

        it("needs no luck with the order of work", function()
            assert.are.equal("rnn_network\ttrue\n", process.run("HOSTGPU_LAZY=1", program))
        end)

        it("gives the libraries workspaces of one size", function()
            local asked = program .. [[ print(os.getenv("CUBLAS_WORKSPACE_CONFIG"))]]
            assert.matches(":4096:2\n$", process.run("-u CUBLAS_WORKSPACE_CONFIG", asked))
            assert.matches(":16:8\n$", process.run("CUBLAS_WORKSPACE_CONFIG=:16:8", asked))
        end)
    end
end)
