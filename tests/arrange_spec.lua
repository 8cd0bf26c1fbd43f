local tocha = require "tocha"
local expect = require "tests.support.expect"

local message, values = expect.message, expect.values

local function lists(pieces)
    local list = {}
    for i, piece in ipairs(pieces) do
        list[i] = piece:tolist()
    end
    return list
end

describe("cutting", function()
    local x = tocha.arange(7)

    it("into chunks of equal size", function()
        assert.are.same({{1, 2, 3}, {4, 5, 6}, {7}}, lists(x:chunk(3)))
        assert.equal(4, #x:chunk(5))
        assert.equal(3, #tocha.zeros(0, 2):chunk(3))
        assert.equal("2x2", tostring(tocha.zeros(2, 5):chunk(3, 2)[1].shape))
    end)

    it("into pieces of a size, or of several", function()
        assert.are.same({{1, 2, 3}, {4, 5, 6}, {7}}, lists(x:split(3)))
        assert.are.same({{1}, {}, {2, 3, 4, 5, 6, 7}}, lists(tocha.split(x, {1, 0, 6})))
        assert.equal("split: split_size must sum to 7, the size of dim 1, got 6", message(x.split, x, {1, 5}))
        assert.equal("split: split_size must be a whole number from 1, got 0", message(x.split, x, 0))
    end)

    it("as evenly as can be, or behind entries", function()
        assert.are.same({{1, 2, 3}, {4, 5}, {6, 7}}, lists(x:tensor_split(3)))
        assert.are.same({{1, 2}, {3, 4, 5}, {6, 7}}, lists(x:tensor_split({2, 5})))
        assert.are.same({{1, 2, 3, 4, 5, 6}, {7}, {}}, lists(x:tensor_split({-1, 9})))
        assert.are.same({{1, 2, 3, 4}, {}, {4, 5, 6, 7}}, lists(x:tensor_split({4, 3})))
    end)

    it("into entries", function()
        assert.are.same({{1, 3}, {2, 4}}, lists(tocha.tensor({{1, 2}, {3, 4}}):unbind(2)))
        assert.are.same({{1, 3}, {2, 4}}, lists(tocha.unbind{input = tocha.tensor({{1, 2}, {3, 4}}), dim = 2}))
    end)

    it("gives views through which gradients flow", function()
        local y = tocha.ones(4):requires_grad_()
        local a, b = table.unpack(y:split(2));
        (a * 2 + b):sum():backward()
        values({2, 2, 1, 1}, y.grad)
        local z = tocha.zeros(4)
        z:chunk(2)[2]:fill_(5)
        values({0, 0, 5, 5}, z)
    end)

    it("names what is wrong", function()
        assert.equal("unbind: input must have at least one dim, got a scalar", message(tocha.unbind, tocha.tensor(1)))
        assert.equal("chunk: dim must be an integer in [-1, 1] (1 dim), got 2", message(x.chunk, x, 2, 2))
        assert.equal("chunk: input must be a tensor, got 5", message(tocha.chunk, 5, 2))
        assert.equal("chunk: unknown option \"n\"; known: input, chunks, dim", message(x.chunk, x, {n = 2}))
    end)
end)

describe("turning", function()
    it("copies, and reads what it is given", function()
        local x = tocha.tensor({{1, 2}, {3, 4}})
        local y = x:flip(1, 2)
        values({{4, 3}, {2, 1}}, y)
        y:fill_(0)
        local turned = x:roll(0)
        turned:fill_(9)
        values({{1, 2}, {3, 4}}, x)
        values({{4, 2}, {3, 1}}, x:t():flip({1, 2}):contiguous())
        values({{3, 4}, {1, 2}}, x:roll({1}, {1}))
    end)

    it("four times gives the same again", function()
        local x = tocha.randn(3, 5)
        assert.is_true(x:rot90():rot90():rot90():rot90() == x)
        assert.is_true(x:rot90(3) == x:rot90(-1))
    end)
end)

describe("repeating", function()
    it("makes copies even when it repeats once", function()
        local x = tocha.tensor({1, 2})
        local y = x:tile(1)
        y:fill_(0)
        values({1, 2}, x)
    end)

    it("refuses sizes that no memory holds", function()
        local huge = 1 << 62
        assert.matches("^tile: ", message(tocha.tile, tocha.ones(2), huge))
        assert.matches("^repeat_interleave: ", message(tocha.repeat_interleave, tocha.ones(2), huge))
        assert.matches("^tile: ", message(tocha.tile, tocha.ones(2), huge, huge))
    end)
end)

describe("flip", function()
    it("leaves a dense input's elements in the order they lie in", function()
        for _, dtype in ipairs {"bool", "float16", "float32", "float64", "complex128"} do
            local x = tocha.arange(70):view(10, 7):remainder(3):to(dtype):t()
            local flipped = x:flip(2)
            assert.are.same({1, 7}, flipped:stride())
            assert.is_true(flipped == x:contiguous():flip(2))
            assert.is_true(flipped:flip(2) == x)
        end
    end)
end)

describe("a list of pieces", function()
    it("has a bound", function()
        local x = tocha.zeros(0)
        assert.matches("^chunk: chunks must be at most ", message(x.chunk, x, 1 << 40))
        assert.matches("^tensor_split: indices_or_sections must be at most ", message(x.tensor_split, x, 1 << 62))
    end)
end)
