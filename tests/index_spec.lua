local tocha = require "tocha"
local expect = require "tests.support.expect"
local gradcheck = require "tests.support.gradcheck"

local message, values = expect.message, expect.values
local t = tocha.tensor

local function random(...)
    return tocha.randn(...):to("float64")
end

local x = t({{11, 12, 13, 14}, {21, 22, 23, 24}, {31, 32, 33, 34}})

describe("gather", function()
    it("reads at positions along a dim, negative ones from the end", function()
        values({{11, 32, 23}}, x:gather(1, t({{1, 3, -2}})))
        values({{14, 11}, {22, 22}}, x:gather(2, t({{-1, 1}, {2, 2}})))
        values({{14, 14, 14, 14, 14}}, x:gather(2, t({{4}}):expand(1, 5)))
        values({{11}, {12}}, x:t():gather(2, t({{1}, {1}})))
        values(3, t(3.):gather(1, t(1)))
        assert.equal("0x4", tostring(x:gather(1, tocha.zeros(0, 4, {dtype = "int64"})).shape))
    end)

    it("takes any integer dtype as index", function()
        values({{13, 11}}, x:gather(2, t({{3, 1}}):to("uint8")))
    end)

    it("names the first bad position", function()
        assert.equal("gather: index must be in [1, 3] or [-3, -1], got 4 at position {1, 2}",
            message(x.gather, x, 1, t({{1, 4, 9, 1}})))
        assert.equal("gather: index must be in [1, 3] or [-3, -1], got 0 at position {2, 1}",
            message(x.gather, x, 1, t({{1, 1}, {0, -4}})))
        assert.matches("^gather: index must have the dims of input", message(x.gather, x, 1, t({1})))
        assert.equal("gather: index must be an integer tensor, got float32",
            message(x.gather, x, 1, t({{1.5}})))
        local big = tocha.ones(300, 300, {dtype = "int64"})
        big[200][7] = 400
        big[201][1] = 500
        assert.matches("got 400 at position {200, 7}$",
            message(tocha.gather, tocha.zeros(300, 300), 1, big))
    end)
end)

describe("long lines of positions", function()
    local threads = tocha.get_num_threads()
    after_each(function() tocha.set_num_threads(threads) end)

    it("are read in pieces by any number of threads", function()
        tocha.manual_seed(31)
        for _, dtype in ipairs {"float32", "int64", "uint8", "bfloat16"} do
            local y = tocha.randint(0, 99, {3, 50001}):to(dtype)
            local at = tocha.randint(1, 50001, {3, 40000})
            at = at - at:remainder(3):eq(0):to("int64") * 50002
            local wanted = tocha.where(at:lt(0), at + 50002, at)
            for n = 1, 3 do
                tocha.set_num_threads(n)
                local z = y:gather(2, at)
                assert.is_true(z == y:gather(2, wanted), dtype)
                for i = 1, 3 do
                    assert.is_true(z[i] == y[i]:index_select(1, wanted[i]), dtype)
                    assert.is_true(z[i] == y[i]:take(at[i]), dtype)
                    assert.is_true(z[i]:view(200, 200):t() == y[i][at[i]:view(200, 200):t()], dtype)
                end
                assert.is_true(z == y:t():contiguous():t():gather(2, at), dtype)
            end
        end
    end)

    it("name the first bad position of all threads", function()
        local at = tocha.ones(2, 40000, {dtype = "int64"})
        at[1][39999], at[2][3], at[2][30000] = 9, 8, 7
        for n = 1, 3 do
            tocha.set_num_threads(n)
            assert.equal("gather: index must be in [1, 3] or [-3, -1], got 9 at position {1, 39999}",
                message(tocha.gather, tocha.zeros(3, 40000), 1, at))
            assert.matches("got 9 at position {1, 39999}$", message(x.take, x:view(-1):narrow(1, 1, 3), at))
            assert.matches("got 8 at position 3$", message(x.take, x:view(-1):narrow(1, 1, 3), at[2]))
        end
    end)

    it("are scattered by any number of threads alike", function()
        tocha.manual_seed(33)
        for _, columns in ipairs {1, 63, 130, 700} do
            local y, z = tocha.randint(0, 99, {2, 50, columns}), tocha.randint(0, 99, {2, 400, columns})
            local at = tocha.randint(1, 50, {2, 400, columns})
            local results = {}
            for n = 1, 3 do
                tocha.set_num_threads(n)
                results[n] = {
                    y:scatter(2, at, z), y:scatter_add(2, at, z), y:scatter_reduce(2, at, z, "amax"),
                    y:transpose(2, 3):scatter_add(3, at:transpose(2, 3), z:transpose(2, 3)):transpose(2, 3),
                }
                for i, result in ipairs(results[n]) do
                    assert.is_true(result == results[1][i], columns .. " " .. n .. " " .. i)
                end
            end
            assert.is_true(results[1][2] == results[1][4])
            assert.is_true(results[1][2]:sum(2) == y:sum(2) + z:sum(2))
        end
    end)

    it("are added to by any number of threads alike", function()
        tocha.manual_seed(32)
        for _, columns in ipairs {1, 70, 700} do
            local y, z = tocha.randint(0, 99, {300, columns}), tocha.randint(0, 99, {900, columns})
            local at = tocha.randint(1, 300, {900})
            tocha.set_num_threads(1)
            local added, put = y:index_add(1, at, z), y:index_copy(1, at, z)
            for n = 2, 3 do
                tocha.set_num_threads(n)
                assert.is_true(added == y:index_add(1, at, z) and put == y:index_copy(1, at, z))
                assert.is_true(added == y:t():contiguous():index_add(2, at, z:t()):t())
            end
        end
    end)
end)

describe("scatter and scatter_add", function()
    it("write and add at positions; the last of repeated ones stays", function()
        local zeros = tocha.zeros(2, 3)
        values({{7, 0, 6}, {0, 0, 0}}, zeros:scatter(2, t({{3, 1, 1}}), t({{6., 5, 7}})))
        values({{12, 0, 6}, {0, 0, 0}}, zeros:scatter_add(2, t({{3, 1, 1}}), t({{6., 5, 7}})))
        values({{0, 1, 0}, {1, 0, 1}}, zeros:scatter(1, t({{2, 1, -1}}), 1))
        values({{6, 0, 0}, {0, 0, 0}}, zeros:scatter(2, t({{1}}), t({{6., 5}, {7, 8}})))
        values({true, true}, t({true, false}):scatter_add(1, t({1, 2}), t({true, true})), "bool")
    end)

    it("write in place into any strides, and leave all as it was on an error", function()
        local y = tocha.zeros(3, 2)
        y:t():scatter_(2, t({{3}, {1}}), t({{1.}, {2.}}))
        values({{0, 2}, {0, 0}, {1, 0}}, y)
        assert.matches("got 9 at position {2, 1}$", message(y.scatter_, y, 1, t({{1}, {9}}), 5))
        values({{0, 2}, {0, 0}, {1, 0}}, y)
    end)

    it("read values that share the memory before it changes", function()
        local y = tocha.arange(4)
        y:scatter_(1, t({4, 3, 2, 1}), y)
        values({4, 3, 2, 1}, y)
        y:scatter_add_(1, t({1, 1, 1, 1}), y)
        values({14, 3, 2, 1}, y)
        y = tocha.arange(3)
        y:scatter_(1, y, y:slice(1, 1, -1))
        values({1, 2, 3}, y)
    end)

    it("add halves as floats", function()
        for _, dtype in ipairs {"float16", "bfloat16"} do
            local ones = tocha.ones(5000):to(dtype)
            local index = tocha.ones(5000, {dtype = "int64"})
            values({5000, 0}, tocha.zeros(2):to(dtype):scatter_add(1, index, ones), dtype, 0.003)
            values({5000, 0}, tocha.zeros(2):to(dtype):index_add(1, index, ones), dtype, 0.003)
        end
    end)

    it("say which shapes do not fit", function()
        assert.equal("scatter_add: src must be a number or have the dims of index and at least its "
            .. "sizes; got shapes 1 and 1x2",
            message(tocha.scatter_add, tocha.zeros(2, 2), 2, t({{1, 1}}), t({1.})))
    end)
end)

describe("index_select and index_add", function()
    it("take and add whole entries", function()
        values({{31, 32, 33, 34}, {11, 12, 13, 14}}, x:index_select(1, t({3, 1})))
        values({{14, 11}, {24, 21}, {34, 31}}, x:index_select(-1, t({-1, 1})))
        values({{12}, {22}, {32}}, x:index_select(2, t(2)))
        assert.equal("3x0", tostring(x:index_select(2, tocha.zeros(0, {dtype = "int64"})).shape))
        values(5, t(5):index_select(1, t({1})))
        local y = tocha.zeros(3, 2)
        y:index_add_(1, t({3, 3, 1}), t({{1., 2}, {3, 4}, {5, 6}}))
        values({{5, 6}, {0, 0}, {4, 6}}, y)
        y:t():index_add_(2, t({2}), t({{1.}, {1}}))
        values({{5, 6}, {1, 1}, {4, 6}}, y)
    end)

    it("say what is wrong", function()
        assert.equal("index_select: index must be in [1, 3] or [-3, -1], got -4 at position 2",
            message(x.index_select, x, 1, t({1, -4})))
        assert.matches("^index_select: index must be a vector",
            message(x.index_select, x, 1, t({{1}})))
        assert.equal("index_add: for 2 positions along dim 1 source must have shape 2x4, got 1x4",
            message(x.index_add, x, 1, t({1, 2}), t({{1, 2, 3, 4}})))
        assert.matches("from a scalar exactly one", message(tocha.index_select, t(1), 1, t({1, 1})))
    end)
end)

describe("index", function()
    it("pairs position tensors, which broadcast", function()
        values({31, 12}, x:index({t({3, 1}), t({1, 2})}))
        values({{31, 32}, {11, 12}}, x:index({t({{3}, {1}}), t({1, 2})}))
        values({{34, 34}}, x:index({t(-1), t({{4, -1}})}))
        values({{31, 32, 33, 34}}, x:index({t({3})}))
        values({31, 32, 33, 34}, x:index({t(3)}))
    end)

    it("puts picked dims where they stood, or in front when parted", function()
        local y = tocha.arange(24):view(2, 3, 4)
        local two = t({1, 2})
        assert.equal("2x2x4", tostring(y:index({nil, two}).shape))
        assert.equal("2x2", tostring(y:index({nil, two, two}).shape))
        assert.equal("2x3", tostring(y:index({two, nil, two}).shape))
        values({{1, 5, 9}, {14, 18, 22}}, y:index({two, nil, two}))
        assert.equal("5x2x3x4", tostring(y:unsqueeze(1):expand(5, 2, 3, 4):index({}).shape))
    end)

    it("takes masks of one or more dims, alone or with positions", function()
        values({{21, 22, 23, 24}}, x:index({t({false, true, false})}))
        values({11, 22}, x:index({x:eq(11):logical_or(x:eq(22))}))
        values({12, 32}, x:index({t({true, false, true}), t({2})}))
        values({{13}, {23}, {33}}, x:index({nil, t({false, false, true, false})}))
        assert.equal("0", tostring(x:index({x:gt(99)}).shape))
        assert.equal("2x0", tostring(tocha.zeros(2, 0):index({t({true, true})}).shape))
    end)

    it("says what is wrong, in its own name", function()
        assert.equal("index: index must be in [1, 3] or [-3, -1], got 5 at position 2",
            message(x.index, x, {t({1, 5})}))
        assert.equal("index: index tensors of shapes 2 and 3 do not broadcast",
            message(x.index, x, {t({1, 2}), t({1, 2, 3})}))
        assert.equal("index: too many indices for a tensor of shape 3x4",
            message(x.index, x, {t({1}), t({1}), t({1})}))
        assert.equal("index: a mask of shape 2 does not fit onto shape 3x4, from dim 1 on",
            message(x.index, x, {t({true, false})}))
        assert.matches("^index: a mask must have at least one dim", message(x.index, x, {t(true)}))
        local many = tocha.zeros(1, 1, 1, 1, 1, 1, 1, 1)
        local deep = tocha.ones(1, 1, {dtype = "int64"})
        assert.matches("9 dims, at most 8", message(many.index, many, {deep}))
    end)
end)

describe("index_put", function()
    it("writes broadcast values; the last of repeated positions stays", function()
        local zeros = tocha.zeros(3)
        values({6, 0, 5}, zeros:index_put({t({3, 1})}, t({5., 6})))
        values({7, 7, 0}, zeros:index_put({t({1, 2})}, t(7.)))
        values({2, 0, 0}, zeros:index_put({t({1, 1})}, t({1., 2})))
        values({3, 0, 0}, zeros:index_put({t({1, 1})}, t({1., 2}), true))
        values({{0, 1}, {0, 1}}, tocha.zeros(2, 2):index_put({nil, t({2})}, t({{1.}, {1}})))
    end)

    it("takes masks", function()
        local y = x:clone()
        y:index_put_({x:gt(22)}, t({0}))
        values({{11, 12, 13, 14}, {21, 22, 0, 0}, {0, 0, 0, 0}}, y)
        y:index_put_({t({false, true, false}), t({1})}, t({9}), true)
        values({30, 22, 0, 0}, y[2])
        assert.matches("^index_put: values of shape 3 do not broadcast to the 2",
            message(y.index_put, y, {t({true, true, false}), t({1, 2})}, t({1, 2, 3})))
    end)

    it("leaves all as it was on an error", function()
        local y = x:clone()
        assert.matches("got 4 at position 2$", message(y.index_put_, y, {t({1, 4})}, t({0})))
        assert.is_true(y:equal(x))
        y:index_put_({t({3, 2, 1})}, y)
        values({31, 21, 11}, y:select(2, 1))
    end)
end)

describe("nonzero and masked_select", function()
    it("give positions and elements in row-major order", function()
        values({{1, 2}, {2, 1}}, t({{0, 7}, {5, 0}}):nonzero())
        values({{1, 2}, {2, 1}}, t({{0., -0.5}, {0 / 0, -0.0}}):nonzero(), "int64")
        values({{1, 2}, {2, 1}}, t({{0, 5}, {7, 0}}):t():nonzero())
        assert.equal("0x2", tostring(tocha.zeros(2, 3):nonzero().shape))
        assert.equal("1x0", tostring(t(3):nonzero().shape))
        values({{2}, {0}}, t({0, 7}):nonzero_static(2))
        values({{1}}, t({3, 7}):nonzero_static(1))
        values({12, 14, 22, 24, 32, 34}, x:masked_select(t({false, true, false, true})))
        values({5, 5}, t({5}):masked_select(t({true, false, true})))
        values({3}, t(3):masked_select(t(true)))
        assert.matches("compare first, as in x:gt%(0%)$", message(x.masked_select, x, t({1})))
    end)
end)

describe("embedding", function()
    local weight = t({{1., 2}, {3, 4}, {5, 6}})

    it("takes rows", function()
        values({{{3, 4}, {1, 2}}, {{5, 6}, {5, 6}}}, tocha.embedding(t({{2, 1}, {3, 3}}), weight))
        values({3, 4}, tocha.embedding(t(2), weight))
        assert.equal("0x2", tostring(tocha.embedding(tocha.zeros(0, {dtype = "int64"}), weight).shape))
    end)

    it("gives the padding row no gradient", function()
        local w = weight:clone():requires_grad_()
        local y = tocha.embedding(t({2, 1, 2, 3}), w, 2)
        values({{1, 1}, {0, 0}, {1, 1}}, tocha.grad(y:sum(), w))
        y = tocha.embedding(t({2, 1, 2, 3}), w, -1)
        values({{1, 1}, {2, 2}, {0, 0}}, tocha.grad(y:sum(), w))
    end)

    it("names the bad row", function()
        assert.equal("embedding: input must be in [1, 3], got 4 at position 2",
            message(tocha.embedding, t({1, 4}), weight))
        assert.equal("embedding: input must be in [1, 3], got -1 at position {1, 2}",
            message(tocha.embedding, t({{1, -1}}), weight))
        assert.equal("embedding: padding_idx must be in [1, 3] or [-3, -1], got 9",
            message(tocha.embedding, t({1}), weight, 9))
        assert.matches("weight must be a matrix", message(tocha.embedding, t({1}), t({1.})))
    end)
end)

describe("cat", function()
    it("joins any strides, promotes, and skips empty vectors", function()
        local a = t({{1, 2}, {3, 4}})
        values({{1, 2, 1, 3}, {3, 4, 2, 4}}, tocha.cat({a, a:t()}, 2))
        values({1, 2.5, 1}, tocha.cat({t({1}), t({2.5}), t({true})}), "float32")
        assert.equal("2x2", tostring(tocha.cat({tocha.zeros(0), a}).shape))
        assert.equal("0", tostring(tocha.cat({tocha.zeros(0), tocha.zeros(0)}).shape))
        local wide = tocha.randn(300, 1000)
        assert.is_true(tocha.cat({wide, wide:t():contiguous():t()}, 2):narrow(2, 1001, 1000):equal(wide))
    end)

    it("says what does not fit", function()
        assert.equal("cat: tensors must hold at least one tensor", message(tocha.cat, {}))
        assert.equal("cat: sizes must agree except in dim 1; tensor 1 is 3x4 and tensor 2 is 2x3",
            message(tocha.cat, {x, tocha.zeros(2, 3, {dtype = "int64"})}))
        assert.matches("tensor 2 is a scalar", message(tocha.cat, {x, t(1)}))
    end)
end)

describe("the gradient of", function()
    before_each(function()
        tocha.manual_seed(5)
    end)

    it("gather, scatter and scatter_add", function()
        local index = t({{1, 2}, {1, 1}})
        gradcheck.check(function(a) return (a * a):gather(1, index) end, {random(3, 2)})
        for _, name in ipairs {"scatter", "scatter_add", "scatter_", "scatter_add_"} do
            gradcheck.check(function(a, b) return tocha[name](a * a, 1, index, b * b) end,
                {random(3, 2), random(2, 3)})
        end
        gradcheck.check(function(a, b) return tocha.scatter(a * a, 2, index, b * b) end,
            {random(3, 2), random({})})
    end)

    it("index_select and index_add", function()
        local index = t({1, 2, 2})
        gradcheck.check(function(a) return (a * a):index_select(2, index) end, {random(3, 2)})
        gradcheck.check(function(a, b) return (a * a):index_add(2, index, b * b) end,
            {random(3, 2), random(3, 3)})
    end)

    it("index and index_put", function()
        local mask = t({true, false, true})
        for _, indices in ipairs {{t({1, 2, 2})}, {t({3, 1}), t({{1}, {2}})}, {nil, t({2, 2})}, {mask}} do
            gradcheck.check(function(a) return (a * a):index(indices) end, {random(3, 2)})
            for _, name in ipairs {"index_put", "index_put_"} do
                gradcheck.check(function(a, b) return tocha[name](a * a, indices, b * b) end,
                    {random(3, 2), random(1)})
                gradcheck.check(function(a, b) return tocha[name](a * a, indices, b * b, true) end,
                    {random(3, 2), random(1)})
            end
        end
        gradcheck.check(function(a, b) return (a * a):index_put({t({1, 2, 1})}, b * b) end,
            {random(3, 2), random(3, 2)})
        gradcheck.check(function(a) return (a * a):masked_select(mask:view(3, 1)) end, {random(3, 2)})
    end)

    it("embedding and its backward op", function()
        local rows = t({{1, 2}, {2, 3}})
        gradcheck.check(function(w) return tocha.embedding(rows, w * w) end, {random(3, 2)})
        gradcheck.check(function(g) return tocha.embedding_backward(g * g, t({1, 2, 2}), 3, 2) end,
            {random(3, 2)})
        gradcheck.check(function(g) return tocha.embedding_backward(g * g, t({1, 2, 2}), 3) end,
            {random(3, 2)})
    end)

    it("cat", function()
        gradcheck.check(function(a, b) return tocha.cat({a * a, b * b, a}, 2) end,
            {random(3, 2), random(3, 1)})
    end)
end)

describe("writing at positions in place", function()
    it("takes numbers, joins, and one form after the other", function()
        local board = tocha.ones(4)
        board:scatter_(1, tocha.tensor {2}, 5)
        board:scatter_(1, tocha.tensor {2, 2}, tocha.tensor {1., 2.}, {reduce = "add"})
        board:scatter_(1, tocha.tensor {3, 3}, 3, "multiply")
        board:scatter_(1, tocha.tensor {4}, {value = 7})
        expect.values({1, 8, 9, 7}, board)
        board:index_add_(1, tocha.tensor {1}, tocha.tensor {2.}, {alpha = 3})
        board:index_copy_(1, tocha.tensor {-1}, tocha.tensor {0.})
        board:index_fill_(1, tocha.tensor {2}, tocha.tensor(4.))
        expect.values({7, 4, 9, 0}, board)
        board:scatter_reduce_(1, tocha.tensor {1, 1, 2}, tocha.tensor {9., 8., 1.}, "amax")
        board:index_reduce_(1, tocha.tensor {4, 4}, tocha.tensor {2., 4.}, "mean", {include_self = false})
        board:put_(tocha.tensor {3}, tocha.tensor {1.}, true)
        board:masked_scatter_(tocha.tensor {false, true, false, false}, tocha.tensor {6.})
        expect.values({9, 6, 10, 3}, board)
        assert.matches("^scatter_: no form takes", expect.message(function() board:scatter_(1, "a") end))
    end)

    it("changes nothing where a position is bad", function()
        local board = tocha.zeros(3)
        for _, f in ipairs {
            function() board:index_copy_(1, tocha.tensor {1, 4}, tocha.ones(2)) end,
            function() board:index_fill_(1, tocha.tensor {1, 4}, 1) end,
            function() board:scatter_reduce_(1, tocha.tensor {1, 4}, tocha.ones(2), "sum") end,
            function() board:put_(tocha.tensor {1, 4}, tocha.ones(2)) end,
        } do
            assert.matches("must be in %[1, 3%] or %[%-3, %-1%], got 4 at position 2", expect.message(f))
        end
        expect.values({0, 0, 0}, board)
    end)

    it("joins a lot of elements from several threads", function()
        local n, k = 300000, 1000
        local index = tocha.randint(1, k, {n})
        local src = tocha.randn(n)
        local sorted, order = index:sort()
        local most = tocha.full({k}, -math.huge):scatter_reduce(1, index, src, "amax")
        local last = sorted:searchsorted(tocha.arange(k), {right = true})
        local ordered = src[order]
        for i = 1, k, 97 do
            local stop = last[i]:item() - 1
            local first = sorted:searchsorted(tocha.tensor(i)):item()
            assert.are.equal(ordered:slice(1, first, stop):max():item(), most[i]:item())
        end
    end)
end)
