local tocha = require "tocha"
local nn = require "nn"

local function message(fn, ...)
    local ok, text = pcall(fn, ...)
    assert.is_false(ok)
    return text
end

local function names(iterator)
    local list = {}
    for name in iterator do
        list[#list + 1] = name
    end
    return list
end

local function near(a, b, tolerance)
    return (a - b):abs():max():item() <= tolerance
end

local function flat_near(expected, tensor, tolerance)
    return near(tocha.tensor(expected, {dtype = tensor.dtype}), tensor:reshape(-1), tolerance)
end

describe("a class of modules", function()
    local Net = nn.class("Net")

    function Net:init(n)
        self.b = nn.Linear(n, 3)
        self.act = "relu"
        self.a = nn.Linear(3, 2, {bias = false})
        self.scale = nn.Parameter(tocha.ones(2))
        self.list = {nn.ReLU(), {deep = nn.Linear(1, 1)}}
        self:register_buffer("steps", tocha.tensor(0))
        self:register_buffer("cache", tocha.zeros(2), false)
        self.constant = tocha.ones(5)
    end

    function Net:forward(x)
        return self.a(self.b(x):relu()) * self.scale
    end

    it("constructs, calls and inherits", function()
        local net = Net(4)
        assert.equal("5x2", tostring(net(tocha.ones(5, 4)).shape))
        local Child = nn.class("Child", Net)
        function Child:forward(x)
            return Net.forward(self, x) + 1
        end
        local child = Child(4)
        child:load_state_dict(net:state_dict())
        assert.is_true((net(tocha.ones(1, 4)) + 1):equal(child(tocha.ones(1, 4))))
        assert.equal("Child", tostring(Child))
        assert.equal(Net, Child.super)
        assert.is_true(nn.is_module(child))
        assert.is_false(nn.is_module(Child))
        assert.is_false(nn.is_module(7))
    end)

    it("finds parameters in the order of assignment", function()
        local net = Net(4)
        local expected = {"b.weight", "b.bias", "a.weight", "scale", "list.2.deep.weight", "list.2.deep.bias"}
        assert.same(expected, names(net:named_parameters()))
        assert.equal(6, #net:parameters())
        assert.equal("net.b.weight", names(net:named_parameters("net"))[1])
        assert.same({"steps", "cache"}, names(net:named_buffers()))
        assert.equal(2, #net:buffers())
        assert.same({"", "b", "a", "list.1", "list.2.deep"}, names(net:named_modules()))
        assert.same({"b", "a", "list.1", "list.2.deep"}, names(net:named_children()))
        assert.equal(4, #net:children())
        assert.equal(5, #net:modules())
    end)

    it("keeps the order when fields change", function()
        local net = Net(4)
        net.b = nn.Linear(4, 3, {bias = false})
        net.act = nn.Linear(1, 1)
        net.a = nil
        net.a = nn.Linear(3, 2)
        assert.same({"b.weight", "act.weight", "act.bias", "a.weight", "a.bias", "scale", "list.2.deep.weight",
            "list.2.deep.bias"}, names(net:named_parameters()))
        net.scale = nil
        assert.equal(7, #net:parameters())
    end)

    it("takes a leaf that requires a gradient for a parameter, also when it is frozen later", function()
        local M = nn.class("M")
        function M:init()
            self.w = tocha.ones(2, {requires_grad = true})
            self.h = self.w * 2
        end
        local m = M()
        assert.same({"w"}, names(m:named_parameters()))
        m:requires_grad_(false)
        assert.is_false(m.w.requires_grad)
        assert.same({"w"}, names(m:named_parameters()))
        assert.is_true(nn.Parameter(tocha.ones(1)).requires_grad)
        assert.is_false(nn.Parameter(tocha.ones(1), false).requires_grad)
        assert.matches("Parameter: expected a tensor, got 3", message(nn.Parameter, 3))
    end)

    it("counts shared parameters and modules once and survives cycles", function()
        local M = nn.class("M")
        function M:init()
            self.one = nn.Linear(2, 2)
            self.two = self.one
            self.tied = self.one.weight
            self.parent = self
            local loop = {}
            loop[1] = loop
            self.loop = loop
        end
        local m = M()
        assert.same({"one.weight", "one.bias"}, names(m:named_parameters()))
        assert.same({"", "one"}, names(m:named_modules()))
        local state = m:state_dict()
        assert.is_true(state["one.weight"]:equal(state["two.weight"]))
        assert.truthy(state.tied)
        assert.is_nil(state["parent.one.weight"])
        m:double()
        assert.is_true(rawequal(m.one.weight, m.tied))
        assert.equal("float64", m.one.weight.dtype)
        assert.truthy(tostring(m):find("(parent): M(...)", 1, true))
    end)

    it("prints as a tree", function()
        assert.equal([[
Net(
  (b): Linear(4, 3)
  (a): Linear(3, 2, {bias = false})
  (list.1): ReLU()
  (list.2.deep): Linear(1, 1)
)]], tostring(Net(4)))
        assert.equal([[
Sequential(
  (1): Conv2d(1, 8, 3, {padding = 1})
  (2): MaxPool2d(2)
  (3): Sequential(
    (1): Flatten()
    (2): Dropout(0.5)
  )
)]], tostring(nn.Sequential(nn.Conv2d(1, 8, 3, {padding = 1}), nn.MaxPool2d(2),
            nn.Sequential(nn.Flatten(), nn.Dropout()))))
    end)

    it("switches between training and evaluation", function()
        local net = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.5)))
        assert.is_true(net.training)
        assert.equal(net, net:eval())
        assert.is_false(net[2][1].training)
        local x = tocha.ones(100)
        assert.is_true(net(x):equal(x))
        net:train()
        assert.is_true(net[2][1].training)
        tocha.manual_seed(1)
        local y = net(x)
        assert.is_true(y:eq(0):any():item())
        assert.is_true(y:eq(4):any():item())
        net:train(false)
        assert.is_false(net.training)
    end)

    it("converts floating point tensors only", function()
        local net = Net(4)
        local before = net.b.weight
        assert.equal(net, net:to "float64")
        assert.equal("float64", net.b.weight.dtype)
        assert.equal("float64", net.cache.dtype)
        assert.equal("int64", net.steps.dtype)
        assert.is_true(net.b.weight.requires_grad and net.b.weight.is_leaf)
        assert.is_true(near(before:double(), net.b.weight, 0))
        assert.equal("float32", net:float().b.weight.dtype)
        assert.equal("bfloat16", net:to({dtype = "bfloat16"}).b.weight.dtype)
        assert.equal("float16", net:half().b.weight.dtype)
        assert.equal(6, #net:parameters())
        local same = net.b.weight
        net:to "float16"
        assert.is_true(rawequal(same, net.b.weight))
        assert.equal("cpu", net:cpu().b.weight.device)
        assert.matches("to: dtype must be float32", message(net.to, net, {dtype = "int32"}))
    end)

    it("keeps gradients and frozen parameters through to", function()
        local net = nn.Linear(2, 1)
        net.bias:requires_grad_(false)
        net(tocha.ones(1, 2)):sum():backward()
        net:double()
        assert.equal("float64", net.weight.grad.dtype)
        assert.same({{1.0, 1.0}}, net.weight.grad:tolist())
        assert.is_false(net.bias.requires_grad)
        net:zero_grad()
        assert.is_nil(net.weight.grad)
    end)

    it("applies a function to the leaves first", function()
        local seen = {}
        local net = nn.Sequential(nn.ReLU(), nn.Tanh())
        assert.equal(net, net:apply(function(m) seen[#seen + 1] = m._name end))
        assert.same({"Tanh", "ReLU", "Sequential"}, seen)
    end)

    it("says what is wrong in a sentence", function()
        local Empty = nn.class("Empty")
        assert.matches("Empty: has no method forward; define function Empty:forward", message(Empty()))
        assert.matches("class: name must be a string, got nil", message(nn.class))
        assert.matches("class: parent of X must be a class, got 3", message(nn.class, "X", 3))
        local net = Empty()
        assert.matches("register_buffer: name must be a string without dots", message(net.register_buffer, net, "a.b"))
        assert.matches("register_buffer: a must be a tensor, got 3", message(net.register_buffer, net, "a", 3))
    end)
end)

describe("state_dict", function()
    local function net()
        return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    end

    it("holds parameters and persistent buffers without gradients", function()
        local a = net()
        a:register_buffer("kept", tocha.ones(1))
        a:register_buffer("dropped", tocha.ones(1), false)
        a:register_buffer("absent")
        local state = a:state_dict()
        local keys = {}
        for key, tensor in pairs(state) do
            keys[#keys + 1] = key
            assert.is_false(tensor.requires_grad)
        end
        table.sort(keys)
        assert.same({"1.bias", "1.weight", "3.bias", "3.weight", "kept"}, keys)
        state["1.bias"]:fill_(7)
        assert.equal(7, a[1].bias[1]:item())
    end)

    it("loads in place", function()
        local a, b = net(), net()
        local weight = b[1].weight
        assert.same({{}, {}}, {b:load_state_dict(a:state_dict())})
        assert.is_true(rawequal(weight, b[1].weight))
        assert.is_true(weight:equal(a[1].weight))
        assert.is_true(weight.requires_grad and weight.is_leaf)
        local double = net():double()
        double:load_state_dict(a:state_dict())
        assert.equal("float64", double[1].weight.dtype)
    end)

    it("names everything that does not fit and changes nothing", function()
        local a = net()
        local before = a[3].weight:clone()
        local state = net():state_dict()
        state["1.weight"] = tocha.zeros(5, 2)
        state["1.bias"] = nil
        state.extra = tocha.zeros(1)
        state["3.bias"] = 7
        local text = message(a.load_state_dict, a, state)
        assert.matches("Sequential: load_state_dict: 1%.weight must have shape 3x2, got 5x2; ", text)
        assert.matches("3%.bias must be a tensor, got 7; missing: 1%.bias; unexpected: extra", text)
        assert.is_true(before:equal(a[3].weight))
        assert.matches("state must be a table of tensors, got nil", message(a.load_state_dict, a))
    end)

    it("may be incomplete when it is not strict", function()
        local a = net()
        local state = {["3.weight"] = tocha.ones(1, 3), other = tocha.ones(1)}
        local missing, unexpected = a:load_state_dict(state, {strict = false})
        assert.same({"1.bias", "1.weight", "3.bias"}, missing)
        assert.same({"other"}, unexpected)
        assert.is_true(a[3].weight:equal(tocha.ones(1, 3)))
        a:load_state_dict(state, false)
    end)
end)

describe("layers", function()
    it("have PyTorch's initial distribution", function()
        tocha.manual_seed(5)
        local function check(weight, bound)
            local values = weight:reshape(-1):detach()
            assert.is_true(values:abs():max():item() <= bound)
            assert.is_true(values:abs():max():item() > 0.95 * bound)
            local deviation = ((values * values):mean():item()) ^ 0.5
            assert.is_true(math.abs(deviation - bound / math.sqrt(3)) < 0.05 * bound)
        end
        local linear = nn.Linear(100, 200)
        check(linear.weight, 1 / math.sqrt(100))
        check(linear.bias, 1 / math.sqrt(100))
        local conv = nn.Conv2d(8, 100, {3, 5}, {groups = 2})
        assert.equal("100x4x3x5", tostring(conv.weight.shape))
        check(conv.weight, 1 / math.sqrt(4 * 15))
        local embedding = nn.Embedding(1000, 20, {padding_idx = -1}).weight:detach()
        assert.is_true(embedding[1000]:eq(0):all():item())
        assert.is_true(math.abs((embedding * embedding):mean():item() - 1) < 0.05)
        assert.is_true(math.abs(embedding:mean():item()) < 0.05)
    end)

    it("compute and differentiate as PyTorch's", function()
        local function ramp(...)
            local n = 1
            for _, size in ipairs {...} do
                n = n * size
            end
            return tocha.linspace(-1, 1, n, {dtype = "float64"}):view(...)
        end
        local net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)):double()
        net:load_state_dict {["1.weight"] = ramp(4, 3), ["1.bias"] = ramp(4), ["3.weight"] = ramp(2, 4),
            ["3.bias"] = ramp(2)}
        local y = net(ramp(2, 3) * 2)
        assert.is_true(flat_near({-2.2225695668626524, 0.28007439176882354, 0.011609921046838778, 2.185217638416345},
            y:detach(), 1e-12))
        local loss = nn.CrossEntropyLoss()(y, tocha.tensor({2, 1}))
        loss:backward()
        assert.is_true(math.abs(loss:item() - 1.1800222949516124) < 1e-12)
        assert.is_true(flat_near({0.004409373263915521, 0.003962727562587072, 0.0035160818612586233,
            0.12281405439506823, 0.27299392839237224, 0.42317380238967633, 0.10685259569806486, 0.13742767600098968,
            0.1680027563039145, 0.011939315567645593, 0.007575363178117285, 0.0032114107885889763},
            net[1].weight.grad, 1e-12))
    end)

    it("give the shapes that they promise", function()
        local x = tocha.randn(2, 3, 8, 6)
        local function shape(module)
            return tostring(module(x).shape)
        end
        assert.equal("2x5x6x4", shape(nn.Conv2d(3, 5, 3)))
        assert.equal("2x5x8x6", shape(nn.Conv2d(3, 5, 3, {padding = 1})))
        assert.equal("2x6x3x6", shape(nn.Conv2d(3, 6, {3, 1}, {stride = {2, 1}, groups = 3, bias = false})))
        assert.equal("2x3x4x3", shape(nn.MaxPool2d(2)))
        assert.equal("2x3x4x2", shape(nn.AvgPool2d({2, 4}, 2)))
        assert.equal("2x144", shape(nn.Flatten()))
        assert.equal("6x8x6", shape(nn.Flatten(1, 2)))
        assert.equal("2x3x8x10", shape(nn.Linear(6, 10)))
        assert.equal("2x3x8x6", shape(nn.Softmax(2)))
        assert.equal("4x7", tostring(nn.Embedding(10, 7)(tocha.tensor({1, 10, 3, 3})).shape))
        for _, name in ipairs {"ReLU", "Tanh", "Sigmoid", "Identity"} do
            assert.equal("2x3x8x6", shape(nn[name]()))
        end
        assert.is_true(near(nn.Softmax(1)(x):log(), nn.LogSoftmax(1)(x), 1e-5))
    end)

    it("name themselves and the shapes where an input does not fit", function()
        assert.matches("nn_spec.lua:%d+: Linear%(784, 10%): expected input of shape %(%*, 784%), got 64x783",
            message(function() nn.Linear(784, 10)(tocha.zeros(64, 783)) end))
        assert.matches("Linear%(3, 1%): expected input of shape %(%*, 3%), got nil",
            message(function() nn.Linear(3, 1)() end))
        assert.matches("Conv2d%(3, 8, 5%): expected input of shape %(n, 3, h, w%) or %(3, h, w%), got 2x1x28x28",
            message(function() nn.Conv2d(3, 8, 5)(tocha.zeros(2, 1, 28, 28)) end))
        assert.matches("MaxPool2d%(2%): expected input of shape %(n, c, h, w%) or %(c, h, w%), got 4x4",
            message(function() nn.MaxPool2d(2)(tocha.zeros(4, 4)) end))
        assert.matches("Linear%(5, 1%): expected input of shape %(%*, 5%), got 1x4",
            message(function() nn.Sequential(nn.ReLU(), nn.Linear(5, 1))(tocha.zeros(1, 4)) end))
    end)

    it("check their arguments", function()
        local cases = {
            {nn.Linear, {0.5, 1}, "Linear: in_features must be a whole number from 0, got 0.5"},
            {nn.Linear, {1}, "Linear: out_features is missing: a whole number from 0"},
            {nn.Linear, {1, 2, {baise = false}}, 'Linear: unknown option "baise"; known: in_features, out_features'},
            {nn.Linear, {1, 2, true, "float32", "cpu", 6}, "Linear: takes at most 5 arguments"},
            {nn.Linear, {1, 2, {in_features = 3}}, "Linear: in_features is given twice"},
            {nn.Linear, {1, 2, {dtype = "int32"}}, "Linear: dtype must be float32"},
            {nn.Conv2d, {1, 2, {3, 3, 3}}, "Conv2d: kernel_size must be a whole number from 1 or a list of two"},
            {nn.Conv2d, {3, 4, 1, {groups = 2}}, "Conv2d: groups must divide the channels"},
            {nn.Dropout, {1.5}, "Dropout: p must be a number from 0 to 1, got 1.5"},
            {nn.Embedding, {3, 2, {padding_idx = 4}}, "Embedding: padding_idx must be in %[1, 3%], got 4"},
            {nn.ReLU, {1}, "ReLU: takes at most 0 arguments"},
            {nn.Softmax, {}, "Softmax: dim is missing"},
            {nn.MSELoss, {"avg"}, 'MSELoss: reduction must be mean, sum or none, got "avg"'},
            {nn.Sequential, {nn.ReLU(), 3}, "Sequential: entry 2 must be a module, got 3"},
        }
        for _, case in ipairs(cases) do
            assert.matches(case[3], message(case[1], table.unpack(case[2])))
        end
        assert.equal("Conv2d(1, 2, 3, {stride = 2, bias = false})",
            tostring(nn.Conv2d {in_channels = 1, out_channels = 2, kernel_size = 3, stride = 2, bias = false}))
    end)
end)

describe("containers", function()
    it("run in a row and are lists", function()
        local seq = nn.Sequential {nn.Linear(2, 3), nn.ReLU()}
        assert.equal(2, #seq)
        assert.equal("Linear(2, 3)", tostring(seq[1]))
        seq:append(nn.Linear(3, 4))
        assert.equal("1x4", tostring(seq(tocha.ones(1, 2)).shape))
        assert.same({"1.weight", "1.bias", "3.weight", "3.bias"}, names(seq:named_parameters()))
        local x = tocha.ones(2)
        assert.is_true(rawequal(x, nn.Sequential()(x)))
        local list = nn.ModuleList {nn.ReLU()}
        list:append(nn.Tanh())
        assert.equal(2, #list)
        assert.matches("ModuleList: holds modules and cannot be called", message(list))
    end)
end)

describe("losses", function()
    it("agree with the operators", function()
        local x, y = tocha.randn(4, 3), tocha.tensor({1, 3, 2, 2})
        assert.is_true(tocha.cross_entropy(x, y):equal(nn.CrossEntropyLoss()(x, y)))
        local weight = tocha.tensor({1.0, 2.0, 3.0})
        local loss = nn.CrossEntropyLoss {weight = weight, reduction = "sum", label_smoothing = 0.1}
        assert.is_true(near(tocha.cross_entropy(x, y, {weight = weight, reduction = "sum", label_smoothing = 0.1}),
            loss(x, y), 0))
        assert.is_true(rawequal(weight, loss.weight))
        assert.equal('CrossEntropyLoss({reduction = "sum", label_smoothing = 0.1})', tostring(loss))
        local logs = x:log_softmax(2)
        assert.is_true(near(nn.NLLLoss()(logs, y), nn.CrossEntropyLoss()(x, y), 1e-6))
        assert.equal("4", tostring(nn.NLLLoss({reduction = "none"})(logs, y).shape))
        assert.equal(4, nn.MSELoss()(tocha.zeros(3), tocha.full({3}, 2.0)):item())
        assert.equal(6, nn.L1Loss("sum")(tocha.zeros(3), tocha.full({3}, 2.0)):item())
    end)
end)

describe("nn.init", function()
    it("fills in place without recording", function()
        local w = nn.Parameter(tocha.empty(20, 30))
        for _, name in ipairs {"kaiming_uniform_", "kaiming_normal_", "xavier_uniform_", "xavier_normal_", "uniform_",
            "normal_", "zeros_", "ones_", "eye_"} do
            assert.is_true(rawequal(w, nn.init[name](w)))
            assert.is_true(w.is_leaf and w.requires_grad)
        end
        assert.is_true(w:detach():equal(tocha.eye(20, 30)))
        assert.is_true(nn.init.constant_(w, 3):eq(3):all():item())
        assert.is_true(tocha.is_grad_enabled())
    end)

    it("has the bounds of the papers", function()
        tocha.manual_seed(2)
        local w = tocha.empty(200, 50, 2)
        local function largest()
            return w:abs():max():item()
        end
        local function deviation()
            return (w * w):mean():item() ^ 0.5
        end
        local function close(expected, actual)
            assert.is_true(math.abs(expected - actual) < 0.03 * expected, expected .. " " .. actual)
        end
        nn.init.kaiming_uniform_(w, {nonlinearity = "relu"})
        close(math.sqrt(6 / 100), largest())
        nn.init.kaiming_uniform_(w, {a = math.sqrt(5)})
        close(1 / math.sqrt(100), largest())
        nn.init.kaiming_normal_(w, {mode = "fan_out", nonlinearity = "linear"})
        close(1 / math.sqrt(400), deviation())
        nn.init.xavier_uniform_(w, 2)
        close(2 * math.sqrt(6 / 500), largest())
        nn.init.xavier_normal_(w)
        close(math.sqrt(2 / 500), deviation())
        nn.init.uniform_(w, -3, 1)
        close(3, largest())
        nn.init.normal_(w, 10, 0.1)
        close(10, w:mean():item())
    end)

    it("says what is wrong", function()
        assert.matches("kaiming_uniform_: expected a weight of 2 dims or more %(out, in, ...%), got shape 3",
            message(nn.init.kaiming_uniform_, tocha.zeros(3)))
        assert.matches("zeros_: expected a tensor, got 3", message(nn.init.zeros_, 3))
        assert.matches('unknown nonlinearity "gelo"', message(nn.init.calculate_gain, "gelo"))
        assert.matches("mode must be fan_in or fan_out",
            message(nn.init.kaiming_normal_, tocha.zeros(2, 2), {mode = "both"}))
    end)
end)

describe("nn.functional", function()
    it("offers the operators", function()
        local x = tocha.tensor({-1.0, 2.0})
        assert.is_true(nn.functional.relu(x):equal(tocha.tensor({0.0, 2.0})))
        assert.is_true(near(nn.functional.softmax(x, 1), x:softmax(1), 0))
    end)
end)

describe("help", function()
    local function help_of(what)
        local lines, original = {}, print
        _G.print = function(text) lines[#lines + 1] = text end
        local ok, why = pcall(tocha.help, what)
        _G.print = original
        return ok and table.concat(lines, "\n") or why
    end

    it("tells about operators, functions and classes", function()
        assert.matches("conv2d%(Tensor input, Tensor weight", help_of "conv2d")
        assert.matches("^save%(path, value, metadata%)\nWrites value to a file", help_of(tocha.save))
        assert.matches("^Linear\nx times the transpose of weight", help_of(nn.Linear))
        assert.matches("^Linear\nx times the transpose of weight", help_of(nn.Linear(1, 1)))
        assert.matches("^SGD\nStochastic gradient descent", help_of(require("optim").SGD))
        assert.matches("nothing is known about \"conv9d\"", help_of "conv9d")
        assert.matches("nothing is known about a table", help_of {})
    end)
end)
