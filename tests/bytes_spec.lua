--- Tensors from tables and bytes, and back.

local tocha = require "tocha"
local expect = require "tests.support.expect"

local function refuses(pattern, f, ...)
    assert.matches(pattern, expect.message(f, ...))
end

local dtypes = {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
    "complex64", "complex128"}

describe("bytes", function()
    it("hold the elements in row-major order", function()
        local x = tocha.tensor({{1, 2}, {3, 258}}, {dtype = "int16"})
        assert.are.equal("\1\0\2\0\3\0\2\1", x:tobytes())
        assert.are.equal("\1\0\3\0\2\0\2\1", x:t():tobytes())
        assert.are.equal("", tocha.zeros(0, 3):tobytes())
        assert.are.equal(string.pack("<f", 1.5), tocha.tensor(1.5):requires_grad_():tobytes())
    end)

    for _, dtype in ipairs(dtypes) do
        it("go there and back in " .. dtype, function()
            local x = tocha.arange(7):to("int32"):ne(3):to(dtype)
            local y = tocha.frombuffer(x:tobytes(), {dtype = dtype})
            assert.are.equal(dtype, y.dtype)
            assert.is_true(tocha.equal(x, y))
        end)
    end

    it("are read from an offset, as many as asked for", function()
        local bytes = string.pack("<i4i4i4", 5, 6, 7)
        expect.values({6, 7}, tocha.frombuffer(bytes, {dtype = "int32", offset = 4}))
        expect.values({6}, tocha.frombuffer(bytes, {dtype = "int32", offset = 4, count = 1}))
        expect.values({1.5}, tocha.frombuffer(string.pack("<f", 1.5)), "float32")
        assert.are.equal("0", tostring(tocha.frombuffer("", {dtype = "int8"}).shape))
        assert.is_true(tocha.frombuffer(string.pack("<f", 1), {requires_grad = true}).requires_grad)
        expect.values({true, false}, tocha.frombuffer("\7\0", {dtype = "bool"}))
    end)

    it("must hold whole elements", function()
        refuses("^frombuffer: the 3 bytes from offset 0 on do not hold whole int16 of 2 bytes", tocha.frombuffer, "abc",
            {dtype = "int16"})
        refuses("do not hold so many int8", tocha.frombuffer, "abc", {dtype = "int8", count = 4})
        refuses("offset must be in %[0, 3%], .* got 4 and %-1", tocha.frombuffer, "abc", {dtype = "int8", offset = 4})
        refuses("got 0 and %-2", tocha.frombuffer, "abc", {count = -2})
        refuses("do not hold so many", tocha.frombuffer, "abc", {count = math.maxinteger})
        refuses("frombuffer: bytes must be a string, got 5", tocha.frombuffer, 5)
        refuses("frombuffer: unknown option \"dtyp\"", tocha.frombuffer, "", {dtyp = "int8"})
        refuses("frombuffer: dtype must be", tocha.frombuffer, "", {dtype = "int9"})
        refuses("frombuffer: options must be a table", tocha.frombuffer, "", "int8")
        refuses("only floating%-point and complex tensors can require grad", function()
            tocha.frombuffer("\1", {dtype = "int8", requires_grad = true})
        end)
    end)
end)

describe("tables", function()
    it("go there and back in every dtype, mixed and nested", function()
        for _, dtype in ipairs(dtypes) do
            if not dtype:find "complex" then
                local list = {{0, 1, 1}, {1, 0, 1}}
                local back = tocha.tensor(list, {dtype = dtype}):tolist()
                for i = 1, 2 do
                    for j = 1, 3 do
                        local v = back[i][j]
                        assert.are.equal(list[i][j], v == true and 1 or v == false and 0 or v)
                    end
                end
            end
        end
        expect.values({1, 2.5, 1, 4}, tocha.tensor {1, 2.5, true, tocha.tensor(4)}, "float32")
        expect.values({{1, 0}}, tocha.tensor {{true, 0}}, "int64")
        local exact = (1 << 53) + 1
        assert.are.equal(exact, tocha.tensor({exact}):tolist()[1])
        expect.values({16777216.0}, tocha.tensor({16777217}, {dtype = "float32"}))
    end)

    it("are read and made strided", function()
        local x = tocha.arange(6):view(2, 3)
        expect.values({{1, 4}, {2, 5}, {3, 6}}, x:t():tolist() and x:t())
        assert.are.same({{1, 4}, {2, 5}, {3, 6}}, x:t():tolist())
        assert.are.same({{1, 3}, {4, 6}}, x:slice(2, 1, 3, 2):tolist())
        assert.are.same({{}, {}}, tocha.zeros(2, 0):tolist())
        assert.are.equal(5, tocha.tensor(5):tolist())
    end)

    it("must be regular", function()
        refuses("^tensor: a number was expected at depth 1, got a table", tocha.tensor, {1, {2}})
        refuses("^tensor: a table was expected at depth 2, got 3", tocha.tensor, {{1}, 3})
        refuses("^tensor: rows differ in length", tocha.tensor, {{1, 2}, {3}})
        refuses("^tensor: entries must be numbers or booleans, got \"a\"", tocha.tensor, {1, "a"})
        refuses("an entry must be a whole number for int64, got 1.5", tocha.tensor, {1, 1.5}, {dtype = "int64"})
        refuses("an entry must be in %[0, 255%] for uint8, got 256", tocha.tensor, {1, 256}, {dtype = "uint8"})
    end)
end)
