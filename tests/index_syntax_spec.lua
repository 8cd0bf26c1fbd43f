--- Indexing as written in Lua: x[i], x[{i, {first, last, step}, {}, "...", mask, positions}], on both sides of "=".

local tocha = require "tocha"
local expect = require "tests.support.expect"

local function assert_raises(f, ...)
    local ok, message = pcall(f)
    assert(not ok, "no error was raised")
    message = tostring(message)
    assert(message:find("index_syntax_spec.lua:%d+: "), "does not point at this file: " .. message)
    for _, text in ipairs {...} do
        assert(message:find(text, 1, true), ("%q is not in: %s"):format(text, message))
    end
end

local function cube()
    return tocha.arange(24):view(2, 3, 4)
end

--- What a range of the syntax picks of 1..size, as a list.
local function range_of(item, size)
    local function at(i) return i < 0 and i + size + 1 or i end
    local first = at(item[1] or 1)
    local last = at(item[2] or (item[1] or size))
    local picked = {}
    for i = first, last, item[3] or 1 do
        picked[#picked + 1] = i
    end
    return picked
end

--- Indexes nested tables as the syntax says; items: numbers, ranges and lists of positions {list = {...}}.
local function naive(t, items, k)
    local item = items[k]
    if item == nil then
        return t
    elseif type(item) == "number" then
        return naive(t[item < 0 and #t + 1 + item or item], items, k + 1)
    end
    local result = {}
    for _, i in ipairs(item.list or range_of(item, #t)) do
        result[#result + 1] = naive(t[i], items, k + 1)
    end
    return result
end

local function as_key(items)
    local key = {}
    for i, item in ipairs(items) do
        key[i] = type(item) == "table" and item.list and tocha.tensor(item.list) or item
    end
    return key
end

describe("a mask among other indices", function()
    local x = tocha.arange(2 * 3 * 4 * 5):view(2, 3, 4, 5)
    local mask = tocha.tensor {{true, false, true}, {false, true, false}}

    it("stands for all its dims, so that what follows meets the dims behind them", function()
        assert.are.equal("3x2x5", tostring(x[{mask, {2, 3}}].shape))
        expect.values(x[{1, 1}]:slice(1, 2, 3):tolist(), x[{mask, {2, 3}}][1])
        assert.are.equal("3x5", tostring(x[{mask, 2}].shape))
        assert.are.equal("3x4x2", tostring(x[{mask, "...", {1, 2}}].shape))
        assert.are.equal("3x2", tostring(x[{mask, {1, 2}, tocha.tensor {1, 2, 3}}].shape))
        expect.values({x[{1, 1, 1, 1}]:item(), x[{1, 1, 2, 1}]:item()},
            x[{mask, {1, 2}, tocha.tensor {1, 2, 3}}][1])
    end)

    it("is written through", function()
        local y = tocha.zeros(2, 3, 4)
        y[{mask, {1, 2}}] = 1
        assert.are.equal(6, y:sum():item())
        y[{mask, tocha.tensor {4, 4, 3}}] = tocha.tensor {5., 6., 7.}
        expect.values({1, 1, 0, 5}, y[{1, 1}])
        expect.values({1, 1, 7, 0}, y[{2, 2}])
    end)

    it("must have dims, however many stand there", function()
        local items = {}
        for i = 1, 16 do
            items[i] = tocha.tensor(true)
        end
        assert.matches("index: ", expect.message(function() return x[items] end))
        assert.matches("index: ", expect.message(function() x[items] = 0 end))
    end)
end)

describe("reading", function()
    it("takes entries of the first dim, negative ones from the end", function()
        local x = cube()
        assert.are.same(x:tolist()[2], x[2]:tolist())
        assert.are.same(x:tolist()[1], x[-2]:tolist())
        assert.are.equal(23, x[2][3][3]:item())
        assert.are.equal(23, x[{2, 3, 3}]:item())
        assert.are.equal(24, x[{-1, -1, -1}]:item())
    end)

    it("gives a 0-dim tensor that works as a number", function()
        local v = tocha.tensor({1.5, 2.5})
        local s = v[1]
        assert.are.equal(0, s:dim())
        assert.are.equal(3.5, (s + 2):item())
        assert.is_true(s < v[2] and s <= 1.5 and v[2] > 2)
        assert.are.equal("1.5 and 2.5", s .. " and " .. v[2])
        assert.are.equal("1.50", string.format("%.2f", s))
        assert.are.equal("7", ("%d"):format(tocha.tensor({7})[1]))
        assert.are.same({2.5}, tocha.tensor({v[2]}):tolist())
        assert.are.equal(5, tocha.arange(tocha.tensor({5})[1]):numel())
    end)

    it("agrees with plain tables for every kind of item", function()
        local x = cube()
        local choices = {
            {1, -1, {}, {1, 2}, {2}, {-1}, {1, -1, 2}, {list = {2, 1, 2}}},
            {2, -3, {}, {1, 2}, {3}, {-2, -1}, {1, -1, 2}, {2, 1}, {list = {3, 3, 1, 2}}},
            {4, -4, {}, {2, 3}, {1, 4, 3}, {-3, -2}, {2, -1, 2}, {list = {1, 4}}},
        }
        local seen = 0
        for _, a in ipairs(choices[1]) do
            for _, b in ipairs(choices[2]) do
                for _, c in ipairs(choices[3]) do
                    local items, lists = {a, b, c}, 0
                    for _, item in ipairs(items) do
                        lists = lists + (type(item) == "table" and item.list and 1 or 0)
                    end
                    if lists <= 1 then
                        local expected = naive(x:tolist(), items, 1)
                        local got = x[as_key(items)]
                        assert.are.same(expected, got:numel() == 0 and got:dim() > 0 and expected or got:dim() == 0 and
                            got:item() or got:tolist())
                        seen = seen + 1
                    end
                end
            end
        end
        assert.is_true(seen > 300)
    end)

    it("takes fewer items than dims, and ... for those in the middle", function()
        local x = cube()
        assert.are.equal("3x4", tostring(x[{1}].shape))
        assert.are.equal("2x2x4", tostring(x[{{}, {1, 2}}].shape))
        assert.are.equal("2x3x2", tostring(x[{"...", {1, 2}}].shape))
        assert.are.equal("3", tostring(x[{1, "...", 2}].shape))
        assert.are.equal("2x3x4", tostring(x[{"..."}].shape))
        assert.are.equal("2x3x4", tostring(x[{}].shape))
        assert.are.same(x[{{}, {}, 2}]:tolist(), x[{"...", 2}]:tolist())
    end)

    it("ranges include both ends and may be empty", function()
        local v = tocha.arange(10)
        assert.are.same({2, 5, 8}, v[{{2, 9, 3}}]:tolist())
        assert.are.same({9, 10}, v[{{-2, -1}}]:tolist())
        assert.are.same({4}, v[{{4}}]:tolist())
        assert.are.equal("0", tostring(v[{{4, 3}}].shape))
        assert.are.equal("0x4", tostring(cube()[{2, {3, 2}}].shape))
    end)

    it("slices are views, tensors of positions and masks make copies", function()
        local x = cube()
        x[{1, {}, 2}]:fill_(0)
        assert.are.same({0, 0, 0}, x[{1, {}, 2}]:tolist())
        assert.are.equal(1, x[{1, 1, 1}]:item())
        x[{}]:fill_(5)
        assert.are.equal(120, x:sum():item())
        local copy = x[tocha.tensor {1}]
        copy:fill_(9)
        assert.are.equal(120, x:sum():item())
        local same = x[{x:gt(0)}]
        same:fill_(9)
        assert.are.equal(120, x:sum():item())
    end)

    it("takes masks over one dim or several, and positions together", function()
        local x = cube()
        assert.are.same({13, 14, 15, 16}, x[tocha.tensor {false, true}]:tolist()[1][1])
        assert.are.same({23, 24}, x[x:gt(22)]:tolist())
        assert.are.same({{1, 2, 3, 4}, {21, 22, 23, 24}},
            x[tocha.tensor {{true, false, false}, {false, false, true}}]:tolist())
        assert.are.same({2, 23}, x[{tocha.tensor {1, 2}, tocha.tensor {1, 3}, tocha.tensor {2, 3}}]:tolist())
        assert.are.same({{4, 8, 12}, {13, 17, 21}}, x[{tocha.tensor {1, 2}, {}, tocha.tensor {4, 1}}]:tolist())
        assert.are.same({{1, 3}, {5, 7}}, x[{1, {1, 2}, tocha.tensor {true, false, true, false}}]:tolist())
        assert.are.equal("0x4", tostring(x[{1, tocha.zeros({0}, {dtype = "int64"})}].shape))
        assert.are.equal("0", tostring(x[x:gt(99)].shape))
    end)

    it("reads 0-dim tensors only without positions", function()
        local s = tocha.tensor(5)
        assert.are.equal(5, s[{}]:item())
        assert_raises(function() return s[1] end, "index: 1 indices for a tensor of 0 dims")
        assert.are.equal(6, (s + 1):item(), "a failed read leaves no error behind")
    end)
end)

describe("writing", function()
    it("sets numbers, booleans and tensors, broadcast and cast", function()
        local x = tocha.zeros(2, 3)
        x[1] = 1
        x[{2, 3}] = 2.5
        x[{2, {1, 2}}] = tocha.tensor {7, 8}
        assert.are.same({{1, 1, 1}, {7, 8, 2.5}}, x:tolist())
        x[{{}, 2}] = tocha.tensor(4)
        assert.are.same({{1, 4, 1}, {7, 4, 2.5}}, x:tolist())
        x[{}] = tocha.tensor {1, 2, 3}
        assert.are.same({{1, 2, 3}, {1, 2, 3}}, x:tolist())
        x[{"...", 1}] = 9
        assert.are.same({{9, 2, 3}, {9, 2, 3}}, x:tolist())
        local flags = tocha.zeros(3, {dtype = "bool"})
        flags[2] = true
        assert.are.same({false, true, false}, flags:tolist())
    end)

    it("sets what masks and positions pick", function()
        local x = tocha.arange(6):view(2, 3)
        x[x:gt(4)] = 0
        assert.are.same({{1, 2, 3}, {4, 0, 0}}, x:tolist())
        x[{tocha.tensor {1, 2}, tocha.tensor {3, 1}}] = tocha.tensor {30, 40}
        assert.are.same({{1, 2, 30}, {40, 0, 0}}, x:tolist())
        x[tocha.tensor {false, true}] = tocha.tensor {7, 8, 9}
        assert.are.same({{1, 2, 30}, {7, 8, 9}}, x:tolist())
        x[{{}, tocha.tensor {3, 1}}] = -1
        assert.are.same({{-1, 2, -1}, {-1, 8, -1}}, x:tolist())
        x[x:eq(-1)] = tocha.tensor {1, 2, 3, 4}
        assert.are.same({{1, 2, 2}, {3, 8, 4}}, x:tolist())
        x[x:gt(100)] = 5
        assert.are.same({{1, 2, 2}, {3, 8, 4}}, x:tolist())
    end)

    it("through every kind of key changes just what reading shows", function()
        for _, key in ipairs {
            {1}, {-1, {2, 3}}, {{}, {}, 2}, {{1, 2}, {1, 3, 2}, {2}}, {2, tocha.tensor {3, 1}}, {"...", {1, 4, 3}},
            {{}, tocha.tensor {true, false, true}}, {tocha.tensor {2}, tocha.tensor {1}, {}},
        } do
            local x, count = cube(), tocha.zeros(2, 3, 4)
            count[key] = 1
            local n, sum = x[key]:numel(), x[key]:sum():item()
            x[key] = 1000
            assert.are.equal(n, count:sum():item())
            assert.are.equal(n * 1000, (x * count):sum():item())
            assert.are.equal(cube():sum():item() - sum, (x * (1 - count)):sum():item())
        end
    end)

    it("copies between parts of one tensor that overlap", function()
        local v = tocha.arange(5)
        v[{{2, 5}}] = v[{{1, 4}}]
        assert.are.same({1, 1, 2, 3, 4}, v:tolist())
        v = tocha.arange(5)
        v[{{1, 4}}] = v[{{2, 5}}]
        assert.are.same({2, 3, 4, 5, 5}, v:tolist())
        local m = tocha.arange(9):view(3, 3)
        m[{}] = m:t()
        assert.are.same({{1, 4, 7}, {2, 5, 8}, {3, 6, 9}}, m:tolist())
        v = tocha.arange(4)
        v[tocha.tensor {4, 3, 2, 1}] = v
        assert.are.same({4, 3, 2, 1}, v:tolist())
    end)

    it("of one element may be compared and added to", function()
        local v = tocha.zeros(3)
        for i = 1, 3 do
            v[i] = v[i] + i
        end
        v[2] = v[2] * v[3]
        assert.are.same({1, 6, 3}, v:tolist())
    end)
end)

describe("an index that is wrong", function()
    local x, v = cube(), tocha.arange(5)

    it("says what the dim has", function()
        assert_raises(function() return v[6] end, "index: ", "[1, 5]", "got 6")
        assert_raises(function() return v[0] end, "index: ", "[1, 5]", "got 0")
        assert_raises(function() return v[-6] end, "index: ", "got -6")
        assert_raises(function() return x[{1, 4}] end, "index: ", "[1, 3]", "got 4")
        assert_raises(function() v[9] = 1 end, "index: ", "got 9")
        assert_raises(function() return v[tocha.tensor {1, 6}] end, "index: ", "6", "5")
        assert_raises(function() v[tocha.tensor {0}] = 1 end, "index: ", "0", "5")
    end)

    it("says how many dims there are", function()
        assert_raises(function() return v[{1, 1}] end, "index: 2 indices for a tensor of 1 dim (5)")
        assert_raises(function() return x[{1, 1, 1, 1}] end, "index: 4 indices for a tensor of 3 dims (2x3x4)")
        assert_raises(function() return x[{"...", 1, "..."}] end, 'index: "..." may stand once')
        assert_raises(function() return x[tocha.zeros(2, 3, 4, 1):gt(0)] end, "index: 4 indices")
    end)

    it("says what it is not", function()
        assert_raises(function() return v[1.5] end, "index: a position must be an integer, got 1.5")
        assert_raises(function() return v[true] end, "index: expected an integer, a range, a mask or a tensor", "true")
        assert_raises(function() return v[{{1, 2, 3, 4}}] end, "index: a range is {first, last, step}, got 4 entries")
        assert_raises(function() return v[{{1, 3, 0}}] end, "index: step must be", "got 0")
        assert_raises(function() return v[{{1, 3, -1}}] end, "index: step must be", "got -1")
        assert_raises(function() return v[{{3, 9}}] end, "index: ", "9", "5")
        assert_raises(function() return v[{{"a", 2}}] end, "index: a range must be an integer, got \"a\"")
        assert_raises(function() return v[tocha.tensor {1.5}] end, "index: indices must be an integer tensor or a bool")
        assert_raises(function() return v[tocha.tensor {true, false}] end, "index: ", "2", "5")
        assert_raises(function() return v[print] end, "index: expected an integer, a range", "function")
    end)

    it("says what can be assigned", function()
        assert_raises(function() v[1] = "a" end, "index: a tensor or a number can be assigned, got \"a\"")
        assert_raises(function() v[1] = nil end, "index: a tensor or a number can be assigned, got nil")
        assert_raises(function() v[{{1, 2}}] = tocha.arange(3) end, "index: ", "3", "2")
        assert_raises(function() v[1] = 1.5 end, "index: ", "1.5", "int64")
        assert_raises(function() v[v:gt(2)] = 1.5 end, "index: ", "int64")
        assert_raises(function() v.color = 1 end, 'no field "color" to set; settable: grad, requires_grad')
        assert.is_nil(v.color)
    end)
end)
