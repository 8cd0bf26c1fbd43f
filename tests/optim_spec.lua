local tocha = require "tocha"
local nn = require "nn"
local optim = require "optim"

local function message(fn, ...)
    local ok, text = pcall(fn, ...)
    assert.is_false(ok)
    return text
end

local function assert_near(expected, actual, tolerance)
    assert.equal(#expected, #actual)
    for i, v in ipairs(expected) do
        local difference = math.abs(v - actual[i])
        assert.is_true(difference <= tolerance * math.max(1, math.abs(v)),
            ("element %d: expected %.12g, got %.12g"):format(i, v, actual[i]))
    end
end

local function start()
    return tocha.tensor({1.0, -2.0, 0.5}, {dtype = "float64", requires_grad = true})
end

--- Steps k = first to last on the loss that the reference results were made with.
local function run(optimizer, p, first, last)
    for k = first, last do
        optimizer:zero_grad()
        local loss = ((p ^ 3) * (1 / k) / 3 + p * (k == 3 and -2 or 1)):sum()
        loss:backward()
        optimizer:step()
    end
end

--- Options and PyTorch's results after five steps.
local references = {
    {"SGD", {lr = 0.1}, {0.624127822932, -3.63993150673, 0.257561919559}},
    {"SGD", {lr = 0.1, momentum = 0.9}, {-0.0509803672895, -7.77889152061, -0.131390568825}},
    {"SGD", {lr = 0.1, momentum = 0.9, dampening = 0.3}, {0.015439274345, -6.41902801314, -0.096251841825}},
    {"SGD", {lr = 0.1, momentum = 0.9, nesterov = true}, {-0.214214846898, -13.9964980664, -0.284622878613}},
    {"SGD", {lr = 0.1, weight_decay = 0.2}, {0.552794415866, -3.28990218707, 0.221330651879}},
    {"SGD", {lr = 0.1, momentum = 0.5, weight_decay = 0.2, maximize = true},
        {1.63324667384, -0.450208561068, 0.823355070663}},
    {"Adam", {}, {0.996776350063, -2.00404468151, 0.497346778189}},
    {"Adam", {lr = 0.1, betas = {0.8, 0.9}, eps = 0.001}, {0.704412216711, -2.41298817053, 0.252833633298}},
    {"Adam", {lr = 0.1, weight_decay = 0.3}, {0.657394987772, -2.38366967919, 0.221710489434}},
    {"Adam", {lr = 0.1, amsgrad = true}, {0.6922810465, -2.41839170079, 0.242424581148}},
    {"Adam", {lr = 0.1, amsgrad = true, maximize = true, weight_decay = 0.1},
        {1.32283376856, -1.60054293792, 0.763667689396}},
    {"AdamW", {}, {0.996726447886, -2.00394456466, 0.497321856872}},
    {"AdamW", {lr = 0.1, weight_decay = 0.3}, {0.577398513805, -2.10083227473, 0.193467680649}},
    {"AdamW", {lr = 0.1, amsgrad = true, maximize = true}, {1.3338155293, -1.60080855562, 0.773299379741}},
}

for i, case in ipairs(references) do
    local name, options, expected = case[1], case[2], case[3]
    describe(("%s, case %d,"):format(name, i), function()
        it("steps as PyTorch's", function()
            local p = start()
            run(optim[name]({p}, options), p, 1, 5)
            assert_near(expected, p:tolist(), 1e-10)
        end)

        it("goes on from a saved state", function()
            local file = os.tmpname()
            local p = start()
            local first = optim[name]({p}, options)
            run(first, p, 1, 2)
            tocha.save(file, {p = p, optimizer = first:state_dict()})
            local saved = tocha.load(file)
            os.remove(file)
            local q = saved.p:requires_grad_()
            local second = optim[name]({q}, {lr = 123})
            second:load_state_dict(saved.optimizer)
            run(second, q, 3, 5)
            assert_near(expected, q:tolist(), 1e-10)
            assert_near(expected, q:tolist(), 1e-10)
        end)
    end)
end

describe("an optimiser", function()
    it("has groups with options of their own", function()
        local a, b = start(), start()
        local optimizer = optim.SGD({{params = {a}, lr = 0.5}, {params = b}}, {lr = 0.25, momentum = 0})
        assert.equal(0.5, optimizer.param_groups[1].lr)
        assert.equal(0.25, optimizer.param_groups[2].lr)
        a.grad, b.grad = tocha.ones_like(a), tocha.ones_like(b)
        optimizer:step()
        assert.same({0.5, -2.5, 0.0}, a:tolist())
        assert.same({0.75, -2.25, 0.25}, b:tolist())
        optimizer.param_groups[2].lr = 0
        optimizer:step()
        assert.same({0.75, -2.25, 0.25}, b:tolist())
        local c = start()
        optimizer:add_param_group {params = {c}, lr = 1}
        c.grad = tocha.ones_like(c)
        optimizer:step()
        assert.same({0.0, -3.0, -0.5}, c:tolist())
    end)

    it("skips parameters without a gradient and forgets gradients as nil", function()
        local a, b = start(), start()
        local optimizer = optim.Adam({a, b}, {lr = 1})
        a.grad = tocha.ones_like(a)
        optimizer:step()
        assert.same({1.0, -2.0, 0.5}, b:tolist())
        assert.is_nil(optimizer.state[b])
        optimizer:zero_grad()
        assert.is_nil(a.grad)
    end)

    it("calls a closure for the loss", function()
        local p = start()
        local optimizer = optim.SGD({p}, {lr = 0.1})
        local loss = optimizer:step(function()
            local value = (p * p):sum()
            value:backward()
            return value
        end)
        assert.equal(5.25, loss:item())
        assert_near({0.8, -1.6, 0.4}, p:tolist(), 1e-12)
    end)

    it("changes no state where a step fails", function()
        for name, options in pairs {SGD = {lr = 1, momentum = 0.9, dampening = 0.5}, Adam = {amsgrad = true}} do
            local good, bad = tocha.ones(2):requires_grad_(), tocha.ones(1):expand(2):requires_grad_()
            local optimizer = optim[name]({good, bad}, options)
            good.grad, bad.grad = tocha.ones(2), tocha.ones(2)
            assert.has_error(function() optimizer:step() end)
            assert.are.same({1, 1}, good:tolist())
            assert.are.same({}, optimizer:state_dict().state[1])
            bad.grad = nil
            optimizer:step()
            assert.is_true(good:lt(1):all():item())
        end
    end)

    it("records no gradients in step", function()
        local p = start()
        local optimizer = optim.SGD({p}, {lr = 0.1, momentum = 0.9})
        p.grad = tocha.ones_like(p)
        optimizer:step()
        assert.is_true(p.is_leaf)
        assert.is_false(optimizer.state[p].momentum_buffer.requires_grad)
    end)

    it("trains a module of half precision parameters", function()
        local p = tocha.ones(4, {dtype = "bfloat16", requires_grad = true})
        local optimizer = optim.AdamW({p}, {lr = 0.5})
        p.grad = tocha.ones_like(p)
        optimizer:step()
        assert.equal("bfloat16", p.dtype)
        assert.is_true(p:lt(0.6):all():item())
    end)

    it("prints its groups", function()
        assert.equal(
            "SGD(\n  group 1: 1 parameters, lr = 0.1, momentum = 0, dampening = 0, weight_decay = 0, nesterov = false, "
            .. "maximize = false\n)", tostring(optim.SGD({start()}, {lr = 0.1})))
    end)

    it("refuses bad options in a sentence", function()
        local p = start()
        local cases = {
            {{{p}, {lr = -1}}, "SGD: lr must be a number from 0, got %-1"},
            {{{p}, {lr = "x"}}, 'SGD: lr must be a number from 0, got "x"'},
            {{{p}, {momentun = 1}}, 'SGD: unknown option "momentun"; known: lr, momentum, dampening'},
            {{{p}, {nesterov = true}}, "SGD: nesterov needs momentum above 0 and dampening 0"},
            {{{}, {lr = 1}}, "SGD: params is empty; pass net:parameters%(%)"},
            {{p}, "SGD: params must be a list of tensors or of groups"},
            {{{p, 3}}, "SGD: parameter 2 must be a tensor, got 3"},
            {{{p, p}}, "SGD: parameter 2 is given twice"},
            {{{p * 2}}, "SGD: parameter 1 is the result of mul, not a leaf"},
            {{{tocha.arange(3)}}, "SGD: parameter 1 must be of a floating point dtype, got int64"},
            {{{{params = {p}, lrr = 1}}}, 'SGD: unknown option "lrr"'},
            {{{{lr = 1}}}, "SGD: a group must be a table with params"},
        }
        for _, case in ipairs(cases) do
            assert.matches(case[2], message(optim.SGD, table.unpack(case[1])))
        end
        assert.matches("Adam: betas must be two numbers from 0, below 1, got 1",
            message(optim.Adam, {p}, {betas = {0.9, 1}}))
        assert.matches("Adam: betas must be two numbers from 0, below 1, got 1 values",
            message(optim.Adam, {p}, {betas = {0.9}}))
    end)

    it("refuses a state that does not fit and keeps its own", function()
        local p = start()
        local optimizer = optim.Adam({p}, {lr = 0.1})
        run(optimizer, p, 1, 1)
        local function refuse(change, expected)
            local dict = optimizer:state_dict()
            change(dict)
            assert.matches("Adam: load_state_dict: " .. expected, message(optimizer.load_state_dict, optimizer, dict))
        end
        refuse(function(d) d.param_groups[2] = d.param_groups[1] end, "expected 1 parameter groups, got 2")
        refuse(function(d) d.param_groups[1].params = {1, 2} end, "group 1 must have 1 parameters, got 2")
        refuse(function(d) d.state[1].exp_avg = tocha.zeros(2) end, "exp_avg of parameter 1 must have shape 3, got 2")
        refuse(function(d) d.state[1].exp_avg_sq = nil end, "exp_avg_sq of parameter 1 must be a tensor, got nil")
        refuse(function(d) d.state[1].step = 1.5 end, "step of parameter 1 must be a whole number, got 1.5")
        refuse(function(d) d.state[1] = 7 end, "state of parameter 1 must be a table, got 7")
        refuse(function(d) d.param_groups[1].lr = "x" end, "lr must be a number from 0")
        assert.matches("expected a table with state and param_groups, got nil",
            message(optimizer.load_state_dict, optimizer))
        assert.equal(1, optimizer.state[p].step)
        assert.equal(0.1, optimizer.param_groups[1].lr)
    end)

    it("notices that a module's to() made new parameters", function()
        local net = nn.Linear(2, 1)
        local optimizer = optim.SGD(net:parameters(), {lr = 0.1})
        net:to "float64"
        net(tocha.ones(1, 2, {dtype = "float64"})):sum():backward()
        assert.matches("SGD: parameter 1 of group 1 was replaced by a module's to%(%)",
            message(optimizer.step, optimizer))
        local other = nn.Linear(2, 1)
        local fine = optim.SGD(other:parameters(), {lr = 0.1})
        other:to "float32"
        other(tocha.ones(1, 2)):sum():backward()
        fine:step()
    end)
end)
