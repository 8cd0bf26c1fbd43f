local tocha = require "tocha"
local nn = require "nn"
local optim = require "optim"
local fuzz = require "tests.fuzz.fuzz"

local quick = os.getenv "TOCHA_QUICK" == "1"
local most = math.maxinteger

local function message(f, ...)
    local ok, text = pcall(f, ...)
    assert.is_false(ok)
    return text
end

local function refuses(text, f, ...)
    local said = message(f, ...)
    assert(said:find(text, 1, true), ("expected an error with %q, got %q"):format(text, said))
end

local function live()
    collectgarbage()
    collectgarbage()
    return tocha.memory_stats().tensors
end

--- Asserts that what f makes is gone when f has returned.
local function leaves_nothing(f)
    local before = live()
    f()
    assert.equal(before, live())
end

describe("random calls", function()
    for seed = 1, 2 do
        it("are answered or refused in words, seed " .. seed, function()
            local stats = fuzz.run {seed = seed, calls = quick and 500 or 7000}
            assert.equal("", table.concat(stats.problems, "\n"))
        end)
    end
end)

describe("hostile arguments", function()
    it("may name lengths that no list has", function()
        local entries = {}
        for k = 0, 61 do
            entries[#entries + 1] = ("[%d] = 1"):format(1 << k)
        end
        local t = assert(load("return {" .. table.concat(entries, ", ") .. "}"))()
        refuses("zeros: size has 2305843009213693952 entries", tocha.zeros, t)
        refuses("cat: tensors has 2305843009213693952 entries", tocha.cat, t)
        refuses("grad: outputs has 2305843009213693952 entries", tocha.grad, t, t)
        refuses("tensor: entries must be numbers", tocha.tensor, t)
    end)

    it("may be numbers on devices that are not there", function()
        refuses("move: ", tocha.move, 6, "cuda:99")
        refuses("tensor: ", tocha.tensor, 1, {device = "cuda:99"})
    end)

    it("may be empty tensors of huge sizes, whose strides no number holds", function()
        local huge = tocha.zeros({0, math.maxinteger - 1}, {dtype = "complex64"})
        for _, view in ipairs {
            tocha.view_as_real(huge), huge:unfold(2, 1, 1 << 40), huge:unsqueeze(1),
            huge[{{}, {1, -1, 1 << 50}}], huge:t(), huge:diagonal(), huge:real():unfold(2, 3, math.maxinteger),
        } do
            for _, stride in ipairs(view:stride()) do
                assert.is_true(stride >= 0)
            end
        end
    end)

    it("may be freed tensors", function()
        local x = tocha.ones(2)
        getmetatable(x).__close(x)
        refuses("add: the tensor was freed", tocha.add, x, 1)
        refuses("index: the tensor was freed", function() return x[1] end)
        refuses("cat: the tensor was freed", tocha.cat, {x})
        for _, name in ipairs {"chunk", "gradient", "is_nonzero", "is_signed", "nonzero", "unbind"} do
            refuses(name .. ": input must be a tensor, got a tensor that was freed", tocha[name], x, 1)
        end
        for _, name in ipairs {"dim_order", "get_device", "is_same_size", "new_tensor", "resize_as_", "type"} do
            refuses(name .. ": input must be a tensor, got a tensor that was freed", tocha.methods[name], x, x)
        end
        assert.is_false(tocha.is_tensor(x))
        assert.equal("tensor(freed)", tostring(x))
    end)

    it("may call metamethods with anything", function()
        local guard <close> = tocha.enable_grad()
        getmetatable(guard).__close(5)
        getmetatable(guard).__close(io.stdout)
        assert.is_true(tocha.is_grad_enabled())
        local events = getmetatable(tocha.ones(1))
        events.__gc()
        refuses("index: ", events.__index, tocha.ones(1))
        refuses("#: ", events.__len, 1)
        refuses("tostring: ", events.__tostring)
    end)

    it("may be options with metamethods, which are not asked", function()
        local options = setmetatable({}, {__index = function() error "asked" end})
        local x = tocha.ones(2):requires_grad_()
        x:sum():backward(options)
        assert.equal(2, tocha.grad(x:sum(), x, options):sum():item())
    end)

    it("may ask for steps and strides beyond all numbers", function()
        local x = tocha.arange(12):view(3, 4)
        assert.equal("1x4", tostring(x:slice(1, 2, 3, most).shape))
        assert.same({{5, 6, 7, 8}}, x[{{2, 3, most}}]:tolist())
        local y = x:as_strided({1, 2}, {most, 1})
        assert.same({{1, 2}}, y:tolist())
        assert.same({{{2, 4}}}, (y:unsqueeze(1) * 2):tolist())
        assert.same({{1, 2}}, y:as_strided_like({1, 2}, {math.mininteger, 1}):tolist())
        local none = tocha.zeros(0):as_strided({0, 5}, {1, 1 << 60})
        assert.equal("0", tostring(none:select(2, 5).shape))
        assert.equal("0", tostring(tocha.zeros(1 << 62, 0)[1 << 62].shape))
    end)

    it("may ask for shapes whose sizes overflow", function()
        refuses("view: ", tocha.view, tocha.zeros(0), 0, 1 << 62, 4)
        refuses("add: ", tocha.add, tocha.zeros(1 << 62, 1, 0), tocha.zeros(1, 4, 0))
        refuses("tolist: ", tocha.ones(1):expand(1 << 40).tolist, tocha.ones(1):expand(1 << 40))
        refuses("clone: ", tocha.clone, tocha.ones(1):expand(1 << 46))
    end)

    it("do not make a range that ends before it starts an empty one", function()
        local x = tocha.arange(5)
        assert.equal(0, x[{{1, 0}}]:numel())
        refuses("index: ", function() return x[{{3, 0}}] end)
    end)

    it("are tried with all forms before a trailing {} counts as no options", function()
        assert.equal("scalar", tostring(tocha.randint(1, 5, {}).shape))
        assert.equal("5", tostring(tocha.randint(1, {5}, {}).shape))
    end)
end)

describe("finalizers", function()
    --- Calls f so that finish runs in f's first allocation.
    local function during(finish, f, ...)
        collectgarbage "stop"
        local pause, factor = collectgarbage("setpause", 0), collectgarbage("setstepmul", 1000)
        setmetatable({}, {__gc = finish})
        collectgarbage "restart"
        local results = table.pack(pcall(f, ...))
        collectgarbage("setpause", pause)
        collectgarbage("setstepmul", factor)
        return table.unpack(results, 1, results.n)
    end

    it("may free the tensors of the running call", function()
        for _, f in ipairs {
            function(x) return x:sum {dim = 1} end,
            function(x) return x:max(1) end,
            function(x) return x[{{1, 2}}] end,
            function(x) return x:tolist() end,
            function(x) return x.T, x.shape, x.grad, x:detach(), x == x end,
            function(x) return tocha.cat({x, x}, {dim = 1}) end,
            function(x) return tocha.grad(x, x) end,
            function(x) return x:backward {gradient = x} end,
        } do
            local x = tocha.ones(3):requires_grad_()
            local ok, text = during(function() getmetatable(x).__close(x) end, f, x)
            assert(ok or text:find("freed", 1, true) or text:find("require", 1, true), text)
        end
    end)

    it("may change the tables that a call reads", function()
        local x, list = tocha.ones(3), {}
        for i = 1, 20 do
            list[i] = tocha.ones(3)
        end
        local ok, text = during(function()
            list[1], list[2] = nil, x
        end, tocha.cat, list, {dim = 1})
        assert(ok or text:find("cat: ", 1, true), text)
        local nested = {{1, 2}, {3, 4}}
        ok, text = during(function() nested[2] = 7 end, tocha.tensor, nested)
        assert(ok or text:find("tensor: ", 1, true), text)
    end)
end)

describe("graphs", function()
    it("end with their tensors, whatever they hold", function()
        leaves_nothing(function()
            local x = tocha.ones(3):requires_grad_()
            x:pow(3):sum():backward {create_graph = true}
            assert.is_true(x.grad.requires_grad)
        end)
        leaves_nothing(function()
            local x, y = tocha.ones(3):requires_grad_(), tocha.ones(3):requires_grad_()
            x.grad, y.grad = y, x
            x.grad = x
            x:backward(x, {create_graph = true})
        end)
        leaves_nothing(function()
            local w, t = tocha.ones(3):requires_grad_(), tocha.ones(3)
            local y = t * w
            t:add_(y)
            t:mul_(t)
        end)
        leaves_nothing(function()
            local y = tocha.ones(3):requires_grad_() * 2
            y:retain_grad()
            y:square():sum():backward {create_graph = true}
            assert.is_true(y.grad.requires_grad)
        end)
    end)

    it("keep a leaf that was made of a view", function()
        local x = tocha.ones(4)
        local leaf = x[{{1, 2}}]
        leaf:requires_grad_()
        x:fill_(3)
        assert.is_true(leaf.is_leaf and leaf.requires_grad)
        leaf:square():sum():backward()
        assert.same({6, 6}, leaf.grad:tolist())
    end)

    it("take in no integers that are written in place", function()
        local x, y = tocha.zeros(2):requires_grad_(), tocha.arange(2)
        y:copy_(x)
        y:le_(x)
        assert.is_false(y.requires_grad)
        local truth = tocha.tensor {true, false}
        truth:copy_(x * 2)
        assert.is_false(truth.requires_grad)
    end)

    it("give any source of an empty scatter its gradient", function()
        local source = tocha.ones(7, 4, 2):requires_grad_()
        local none = tocha.zeros(0, {dtype = "int64"})
        local y = tocha.zeros(3, 4, 5):scatter(1, none:view(0, 1, 1), source)
        assert.equal(0, tocha.grad(y:sum(), source):abs():sum():item())
    end)
end)

describe("a failing allocation, whichever it is,", function()
    local function fail_each(f)
        f()
        f()
        local before, n = live(), -1
        local ok, said
        repeat
            n = n + 1
            tocha._fail_after(n, most)
            ok, said = pcall(f)
            tocha._fail_after(-1)
            assert(ok or tostring(said):find("memory", 1, true), said)
            assert.is_true(tocha.is_grad_enabled())
        until ok
        assert(n > 10, "nothing was made to fail")
        assert.equal(before, live())
    end

    it("ends a training step with an error and loses nothing", function()
        local net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3))
        local x, labels = tocha.randn(4, 1, 6, 6), tocha.tensor {1, 2, 3, 1}
        local steps = {optim.SGD(net:parameters(), {lr = 0.01, momentum = 0.9}), optim.Adam(net:parameters())}
        fail_each(function()
            for _, step in ipairs(steps) do
                step:zero_grad()
                nn.functional.cross_entropy(net(x), labels):backward()
                step:step()
            end
        end)
    end)

    it("ends a double backward with an error and loses nothing", function()
        local x = tocha.randn(3, 3, {dtype = "float64"}):requires_grad_()
        fail_each(function()
            x.grad = nil
            local y = (x:mm(x:t()):tanh() * x.T:softmax(1)):sum()
            local g = tocha.grad(y, x, {create_graph = true})
            local h = tocha.grad(g:square():sum(), x, {create_graph = true})
            h:sum():backward {create_graph = true}
            x.grad = nil
        end)
    end)

    it("ends indexing with an error and loses nothing", function()
        local x, mask = tocha.randn(4, 5):requires_grad_(), tocha.tensor {true, false, true, true}
        local at = tocha.tensor {1, -1, 2}
        fail_each(function()
            local y = x * 1
            y[{{}, at}] = y[{{}, {1, 3}}]
            y[mask] = 0.5
            y[{-1, {2, 5, 2}}] = x[1][at][{{1, 2}}]
            local z = y[{mask, {1, 2}}]:sum() + y:gather(2, at:view(1, 3)):sum() + y[2][3]
            tocha.grad(z, x)
            assert.equal(4, #y:tolist())
            assert.equal(20, #tocha.nonzero(y:ne(100)))
        end)
    end)

    it("ends work on views in place with an error and loses nothing", function()
        local x = tocha.randn(3, 4):requires_grad_()
        fail_each(function()
            local y = x * 3
            local row, flat = y[1], y:view(12)
            row:mul_(2)
            y:t()[2]:mul_(2)
            flat:add_(y:reshape(12))
            tocha.grad((y * row):sum(), x)
        end)
    end)

    it("leaves what a call in place would have written as it was", function()
        local calls = {
            function(x) return x:add_(x:t()) end,
            function(x) return x:copy_(tocha.arange(9):view(3, 3):t()) end,
            function(x) return x:masked_fill_(x:gt(0), 5) end,
            function(x) x[{{}, 1}] = x[2] end,
            function(x) x[tocha.tensor {1, 3}] = 0.5 end,
            function(x) return x:scatter_(1, tocha.tensor {{1, 2, 3}}, x) end,
            function(x) return x:index_add_(1, tocha.tensor {3}, x[{{1, 1}}]) end,
            function(x) return x:pow_(x) end,
        }
        for _, call in ipairs(calls) do
            local n = -1
            local ok
            repeat
                n = n + 1
                local x = tocha.arange(9):view(3, 3):to "float32"
                local y = x * tocha.ones(1):requires_grad_()
                tocha._fail_after(n, most)
                ok = pcall(call, y)
                tocha._fail_after(-1)
                assert.is_true(ok or (x == y and y.requires_grad))
            until ok
        end
    end)
end)
