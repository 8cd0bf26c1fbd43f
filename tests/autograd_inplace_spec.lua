--- In-place writes to intermediates and to views of tensors in a graph: the gradients of the same computation without
--- them, or a clear error.

local tocha = require "tocha"
local compare = require "tests.harness.compare"
local gradcheck = require "tests.harness.gradcheck"

local f64 = {dtype = "float64"}

local function leaf(values)
    return tocha.tensor(values, f64):requires_grad_()
end

local function matrix()
    return leaf {{0.5, -1.25, 2.0}, {1.5, 0.75, -0.5}}
end

local function vector()
    return leaf {0.25, -0.75, 1.25}
end

local function assert_raises(f, ...)
    local ok, message = pcall(f)
    assert(not ok, "no error was raised")
    for _, text in ipairs {...} do
        assert(tostring(message):find(text, 1, true), ("%q is not in: %s"):format(text, message))
    end
end

--- Programs of a matrix x (2, 3) and a vector w (3): {name, with writes in place, the same without}.
local programs = {
    {
        "an intermediate is scaled",
        function(x, w) return (x * 2):mul_(w):exp() end,
        function(x, w) return (x * 2 * w):exp() end,
    },
    {
        "an intermediate is overwritten by its own function",
        function(x)
            local y = x * 1
            y:sin_()
            y:square_()
            y:sigmoid_()
            return y
        end,
        function(x) return x:sin():square():sigmoid() end,
    },
    {
        "a row of an intermediate is scaled",
        function(x, w)
            local y = x * 2
            y[1]:mul_(w)
            return y:sin()
        end,
        function(x, w)
            return (tocha.stack {x[1] * 2 * w, x[2] * 2}):sin()
        end,
    },
    {
        "a view that was taken before sees what is written to its base",
        function(x, w)
            local y = x * 2
            local row = y[2]
            y:mul_(w)
            return row:exp() + y[1]
        end,
        function(x, w)
            local y = x * 2 * w
            return y[2]:exp() + y[1]
        end,
    },
    {
        "two views of one tensor overlap, and both are written",
        function(x, w)
            local y = x * 1
            local left, right = y:narrow(2, 1, 2), y:narrow(2, 2, 2)
            left:mul_(3)
            right:add_(w:narrow(1, 1, 2))
            left:mul_(2)
            return y * left:sum()
        end,
        function(x, w)
            local middle = (x:select(2, 2) * 3 + w[1]) * 2
            local first, last = x:select(2, 1) * 6, x:select(2, 3) + w[2]
            local y = tocha.stack({first, middle, last}, 2)
            return y * y:narrow(2, 1, 2):sum()
        end,
    },
    {
        "a view of a view of a transpose is written",
        function(x, w)
            local y = (x * x):t()
            y[{{1, 2}}]:t():select(1, 2):mul_(w:narrow(1, 1, 2)):tanh_()
            return y:matmul(y:t())
        end,
        function(x, w)
            local y = x * x
            local changed = (y[{2, {1, 2}}] * w:narrow(1, 1, 2)):tanh()
            y = tocha.stack({y[1], tocha.cat({changed, y[{2, {3}}]})}, 1):t()
            return y:matmul(y:t())
        end,
    },
    {
        "a tensor without gradient is filled piece by piece",
        function(x, w)
            local y = tocha.zeros(4, 3, f64)
            y[1] = w
            y[{{2, 3}}] = x * w
            y[4] = y[1]:clone() * y[2]:clone()
            return y:exp()
        end,
        function(x, w)
            local y = tocha.cat({w:unsqueeze(1), x * w})
            return tocha.cat({y, (y[1] * y[2]):unsqueeze(1)}):exp()
        end,
    },
    {
        "elements are assigned by positions, masks and numbers",
        function(x, w)
            local y = x * 1
            y[{tocha.tensor {1, 2}, tocha.tensor {3, 1}}] = w:narrow(1, 1, 2)
            y[{{}, 2}] = 5
            y[y:detach():lt(0)] = 0
            return y * x
        end,
        function(x, w)
            local y = x:index_put({tocha.tensor {1, 2}, tocha.tensor {3, 1}}, w:narrow(1, 1, 2))
            y = tocha.cat({y:narrow(2, 1, 1), tocha.full({2, 1}, 5.0, f64), y:narrow(2, 3, 1)}, 2)
            return y:masked_fill(y:detach():lt(0), 0) * x
        end,
    },
    {
        "a value is copied over part of a tensor that is used before and after",
        function(x, w)
            local y = x + 1
            local before = y:sum()
            y[2]:copy_(w)
            return y * before
        end,
        function(x, w)
            return tocha.stack {x[1] + 1, w * 1} * (x + 1):sum()
        end,
    },
    {
        "a division keeps its result",
        function(x, w)
            local y = x * 1
            y:narrow(2, 2, 2):div_(w:narrow(1, 2, 2))
            return y
        end,
        function(x, w)
            return tocha.cat({x:narrow(2, 1, 1), x:narrow(2, 2, 2) / w:narrow(1, 2, 2)}, 2)
        end,
    },
    {
        "detached data is written without the graph",
        function(x, w)
            local y = x * 1
            y:mul_(w:detach())
            return y
        end,
        function(x, w) return x * w:detach() + w * 0 end,
    },
    {
        "indices are added and scattered in place",
        function(x, w)
            local y = x * 1
            y:index_add_(2, tocha.tensor {2, 2, 3}, (x * w))
            y:scatter_(1, tocha.tensor {{2, 1, 2}}, w:unsqueeze(1))
            y:scatter_add_(2, tocha.tensor {{1}, {1}}, x:narrow(2, 3, 1))
            return y:square()
        end,
        function(x, w)
            local y = x:index_add(2, tocha.tensor {2, 2, 3}, x * w)
            y = y:scatter(1, tocha.tensor {{2, 1, 2}}, w:unsqueeze(1))
            return y:scatter_add(2, tocha.tensor {{1}, {1}}, x:narrow(2, 3, 1)):square()
        end,
    },
    {
        "a clamped and masked intermediate goes on",
        function(x, w)
            local y = (x * w):clamp_(-0.5, 0.5)
            y:masked_fill_(tocha.tensor {true, false, false}, 0.25)
            return y:relu_() + x
        end,
        function(x, w)
            local y = (x * w):clamp(-0.5, 0.5):masked_fill(tocha.tensor {true, false, false}, 0.25)
            return y:relu() + x
        end,
    },
    {
        "a view outlives its base",
        function(x, w)
            local row = (x * 2)[1]
            collectgarbage()
            row:mul_(w)
            return row:exp()
        end,
        function(x, w) return (x[1] * 2 * w):exp() end,
    },
    {
        "writes go on after a part of the graph was used",
        function(x, w)
            local y = x * 1
            local total = y:sum()
            for i = 1, 3 do
                y[{{}, i}]:mul_(w[i])
                total = total + y:sum() * i
            end
            return total
        end,
        function(x, w)
            local scales = tocha.ones(3, f64)
            local total = x:sum()
            for i = 1, 3 do
                local unit = tocha.zeros(3, f64)
                unit[i] = 1
                scales = scales * (unit * w[i] + (1 - unit))
                total = total + (x * scales):sum() * i
            end
            return total
        end,
    },
}

describe("in place", function()
    for _, program in ipairs(programs) do
        local name, inplace, plain = table.unpack(program)

        it(name .. ": same values and gradients", function()
            local inputs = {matrix(), vector()}
            assert.is_nil(compare.close(inplace(table.unpack(inputs)):detach(), plain(table.unpack(inputs)):detach()))
            local got, expected = gradcheck.analytic(inplace, inputs), gradcheck.analytic(plain, inputs)
            for i in ipairs(inputs) do
                assert.is_nil(compare.close(got[i], expected[i]))
            end
        end)

        it(name .. ": gradients as differences give them", function()
            if name:find("detached", 1, true) then
                return
            end
            assert.is_nil(gradcheck.first(inplace, {matrix(), vector()}))
        end)

        it(name .. ": gradients of gradients", function()
            if name:find("detached", 1, true) then
                return
            end
            assert.is_nil(gradcheck.second(inplace, {matrix(), vector()}))
        end)
    end

    it("is refused on leaves and views of leaves while recording, and allowed in no_grad", function()
        local x = leaf {1, 2}
        assert_raises(function() x:mul_(2) end, "mul_: a leaf that requires grad", "tocha.no_grad")
        assert_raises(function() x:narrow(1, 1, 1):mul_(2) end, "mul_: a view of a leaf")
        assert_raises(function() x[1] = 5 end, "leaf", "tocha.no_grad")
        assert_raises(function() x:fill_(0) end, "leaf")
        assert.are.same({1, 2}, x:tolist())
        tocha.no_grad(function()
            x:mul_(2)
            x[1] = 7
            x:narrow(1, 2, 1):add_(1)
        end)
        assert.are.same({7, 5}, x:tolist())
        assert.is_true(x.is_leaf and x.requires_grad)
        local loss = (x * x):sum()
        loss:backward()
        assert.are.same({14, 10}, x.grad:tolist())
    end)

    it("makes a tensor without gradient part of the graph", function()
        local w = leaf {2}
        local y = tocha.ones(3, f64)
        local view = y:narrow(1, 2, 2)
        y:mul_(w)
        assert.is_true(y.requires_grad and view.requires_grad)
        view:sum():backward()
        assert.are.same({2}, w.grad:tolist())
    end)

    it("through a view made in no_grad is refused, for its base would not know", function()
        local x, w = leaf {1, 2}, leaf {3}
        local y = x * 1
        local view = tocha.no_grad(function() return y:narrow(1, 1, 1) end)
        assert_raises(function() view:mul_(w) end, "mul_: a view that was made inside tocha.no_grad")
        assert_raises(function() view[1] = w[1] end, "made inside tocha.no_grad")
        tocha.no_grad(function() view:mul_(5) end)
        assert.are.same({5, 2}, y:tolist())
        local data = tocha.no_grad(function() return tocha.ones(4, f64):view(2, 2) end)
        data:mul_(w)
        data:sum():backward()
        assert.are.same({4}, w.grad:tolist())
    end)

    it("with an operand that shares the memory it writes gives the gradient of the values from before", function()
        local programs_of_self = {
            {function(y) return y:mul_(y) end, function(y) return y * y end},
            {function(y) return y:mul_(y[2]) end, function(y) return y * y[2] end},
            {function(y) return y:div_(y[1]) end, function(y) return y / y[1] end},
            {function(y) return y:pow_(y) end, function(y) return y ^ y end},
            {function(y) return y:add_(y) end, function(y) return y + y end},
            {function(y) return y:mul_(y:flip(1)) end, function(y) return y * y:flip(1) end},
            {function(y) return y:narrow(1, 1, 2):mul_(y:narrow(1, 2, 2)) end,
                function(y) return y:narrow(1, 1, 2) * y:narrow(1, 2, 2) end},
        }
        for i, pair in ipairs(programs_of_self) do
            local function with(f)
                return function(x) return f(x * 1.5 + 2) end
            end
            local x = vector()
            assert.is_nil(compare.close(with(pair[1])(x):detach(), with(pair[2])(x):detach()))
            local got, expected = gradcheck.analytic(with(pair[1]), {x}), gradcheck.analytic(with(pair[2]), {x})
            assert(not compare.close(got[1], expected[1]), "program " .. i)
            assert(not gradcheck.second(with(pair[1]), {x}), "program " .. i)
        end
    end)

    it("update steps write leaves and count as writes", function()
        local x = leaf {1, 2}
        local y = (x * x):sum()
        tocha.sgd_step({x}, {tocha.ones(2, f64)}, {lr = 1})
        assert.are.same({0, 1}, x:tolist())
        assert_raises(function() y:backward() end, "backward through mul", "changed in place")
    end)

    it("on expanded memory is refused", function()
        local y = tocha.ones(1, 3, f64):expand(2, 3)
        assert_raises(function() y:add_(1) end, "add_", "share memory", "clone()")
        assert_raises(function() y[1] = tocha.zeros(3, f64); y:fill_(2) end, "share memory")
    end)

    it("a write that fails changes neither values nor graph", function()
        local x = leaf {1, 2}
        local y = x * 3
        for _, bad in ipairs {
            function() y:add_(tocha.ones(3, f64)) end,
            function() y:copy_(tocha.ones(5, f64)) end,
            function() y[3] = 1 end,
            function() y[{tocha.tensor {9}}] = 1 end,
            function() y:index_add_(1, tocha.tensor {1, 7}, tocha.ones(2, f64)) end,
            function() y:scatter_(1, tocha.tensor {4}, tocha.ones(1, f64)) end,
            function() y:lt_("a") end,
        } do
            assert.is_false(pcall(bad))
        end
        assert.are.same({3, 6}, y:tolist())
        y:sum():backward()
        assert.are.same({3, 3}, x.grad:tolist())
    end)

    it("writes an integer's result only where it fits", function()
        local t = tocha.tensor {1, 2}
        assert_raises(function() t:add_(0.5) end, "add_: the result is float32 and does not fit into a int64 tensor")
        assert_raises(function() t:div_(2) end, "div_")
        assert.are.same({1, 2}, t:tolist())
        assert.are.same({3, 4}, t:add_(2):tolist())
        assert.are.same({true, false}, tocha.tensor({true, true}):eq_(tocha.tensor {true, false}):tolist())
    end)
end)
